#!/usr/bin/env python3
"""Slow clients of an HTTP server on 127.0.0.1: what bench/slow_clients.mjs holds open beside those that it measures.

slow_connections.py room PORT COUNT   opens COUNT connections, each of which asks for /livez, and prints how many of
                                      them were answered: so many the server takes.
slow_connections.py hold PORT COUNT   opens COUNT connections within ten seconds, a quarter of each kind below, and
                                      opens another one whenever the server drops one. Prints what happened since the
                                      line before, as a line of JSON, every quarter of a second; ends with its input.

    idle    sends nothing
    header  sends the header of a request, one byte a second
    body    sends the body of a request, one byte a second
    unread  asks for large answers and does not read them; its receive window is as small as the system lets it be
"""
import collections
import errno
import heapq
import json
import resource
import select
import socket
import struct
import sys
import time

RAMP_SECONDS = 10
BYTE_SECONDS = 1
REPORT_SECONDS = 0.25
REFUSED_SECONDS = 0.5  # who is closed within them was not let in, and comes back a second later
ROOM_SECONDS = 15
KINDS = ("idle", "header", "body", "unread")
BEGINNINGS = {
    "idle": b"",
    "header": b"GET /v1/payments HTTP/1.1\r\nhost: localhost\r\nx-slow: ",
    "body": b"POST /v1/payments HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n",
    "unread": b"GET /openapi.yaml HTTP/1.1\r\nhost: localhost\r\n\r\n" * 4,
}


def connection_to(port, kind=""):
    one = socket.socket()
    one.setblocking(False)
    if kind == "unread":
        # Small segments keep the server's send buffer small as well: it grows with what they could carry.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    # Its end leaves nothing behind: no port in TIME_WAIT.
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    error = one.connect_ex(("127.0.0.1", port))
    if error not in (0, errno.EINPROGRESS):
        raise OSError(error, "no connection")
    return one


class Slow:
    def __init__(self, port, kind, now):
        self.kind = kind
        self.since = now
        self.socket = connection_to(port, kind)
        self.begun = False
        self.send()

    # The beginning, then one byte more each time. `unread` sends them as well, since only who sends is told that the
    # other end has gone while an answer is on the way.
    def send(self):
        try:
            self.socket.send(b"a" if self.begun else BEGINNINGS[self.kind])
            self.begun = True
        except BlockingIOError:
            pass  # not connected yet, or no room: with the next one


class Holder:
    def __init__(self, port, count):
        self.port = port
        self.count = count
        self.poll = select.epoll()
        self.open = {}  # by descriptor
        self.events = []  # what is to be done: (when, number, what)
        self.number = 0
        self.lowest = None
        self.dropped = collections.Counter()
        self.refused = 0
        self.start = time.monotonic()
        for i in range(count):
            self.later(self.start + RAMP_SECONDS * i / count, KINDS[i % len(KINDS)])

    def later(self, when, what):
        self.number += 1
        heapq.heappush(self.events, (when, self.number, what))

    def connect(self, kind, now):
        try:
            slow = Slow(self.port, kind, now)
        except OSError:
            self.refuse(kind, now)
            return
        descriptor = slow.socket.fileno()
        self.open[descriptor] = slow
        # What an unread one is sent must not wake us: it stays where it is.
        self.poll.register(descriptor, select.EPOLLRDHUP | (0 if kind == "unread" else select.EPOLLIN))
        self.later(now + BYTE_SECONDS, slow)

    def refuse(self, kind, now):
        self.refused += 1
        self.later(now + 1, kind)

    # The server has ended it.
    def end(self, slow, now):
        if self.open.pop(slow.socket.fileno(), None) is None:
            return
        slow.socket.close()
        if now - slow.since < REFUSED_SECONDS:
            self.refuse(slow.kind, now)
            return
        self.dropped[slow.kind] += 1
        self.connect(slow.kind, now)

    def step(self, now):
        while self.events and self.events[0][0] <= now:
            what = heapq.heappop(self.events)[2]
            if isinstance(what, str):
                self.connect(what, now)
            elif what.kind != "idle" and what.socket.fileno() >= 0:
                self.later(now + BYTE_SECONDS, what)
                try:
                    what.send()
                except OSError:
                    self.end(what, now)
        wait = max(0, self.events[0][0] - now) if self.events else REPORT_SECONDS
        for descriptor, _ in self.poll.poll(min(wait, REPORT_SECONDS)):
            if descriptor in self.open:
                self.read(self.open[descriptor], time.monotonic())
        self.lowest = len(self.open) if self.lowest is None else min(self.lowest, len(self.open))

    def read(self, slow, now):
        try:
            if slow.kind != "unread" and slow.socket.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.end(slow, now)

    def report(self):
        print(json.dumps({"open": len(self.open), "lowest": self.lowest, "refused": self.refused,
                          "dropped": {kind: self.dropped[kind] for kind in KINDS}}), flush=True)
        self.lowest = None
        self.refused = 0
        self.dropped.clear()

    def run(self):
        reported = self.start
        while not select.select([sys.stdin], [], [], 0)[0]:
            now = time.monotonic()
            self.step(now)
            if now - reported >= REPORT_SECONDS:
                self.report()
                reported = now


def room(port, count):
    poll = select.epoll()
    waiting = {}
    answered = []
    deadline = time.monotonic() + ROOM_SECONDS
    for _ in range(count):
        one = connection_to(port)
        waiting[one.fileno()] = one
        poll.register(one.fileno(), select.EPOLLOUT)
    while waiting and time.monotonic() < deadline:
        for descriptor, events in poll.poll(1):
            one = waiting[descriptor]
            try:
                if events & select.EPOLLIN:
                    if one.recv(65536):
                        answered.append(one)  # stays open, and so taken
                    del waiting[descriptor]
                    poll.unregister(descriptor)
                else:
                    one.send(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    poll.modify(descriptor, select.EPOLLIN)
            except OSError:
                del waiting[descriptor]
                poll.unregister(descriptor)
    print(len(answered))


def main():
    what, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if what == "room":
        room(port, count)
    else:
        Holder(port, count).run()


if __name__ == "__main__":
    main()
