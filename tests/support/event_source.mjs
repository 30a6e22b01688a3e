// Reads server-sent events as a shop's client would: https://html.spec.whatwg.org/multipage/server-sent-events.html

export class EventSource {
  #controller = new AbortController();
  #answer;

  /** Every event that came: {id, name, data}, data parsed. */
  events = [];
  comments = 0;

  /** Opens the stream; `lastEventId` goes on after that one. Throws where the answer is no stream. */
  static async open(url, { key, lastEventId } = {}) {
    const source = new EventSource();
    source.#answer = await fetch(url, {
      signal: source.#controller.signal,
      headers: {
        accept: "text/event-stream",
        authorization: `Bearer ${key}`,
        ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }),
      },
    });
    if (source.#answer.headers.get("content-type") !== "text/event-stream") {
      throw new Error(`no stream: ${source.#answer.status} ${await source.#answer.text()}`);
    }
    source.ended = source.#read();
    return source;
  }

  /** How the stream ends: "closed" by the server as a whole answer, "broken" otherwise. */
  ended;

  async #read() {
    let text = "";
    try {
      for await (const chunk of this.#answer.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          this.#take(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
      return "closed";
    } catch {
      return "broken";
    }
  }

  #take(block) {
    const fields = {};
    for (const line of block.split("\n")) {
      if (line.startsWith(":")) this.comments += 1;
      else fields[line.slice(0, line.indexOf(": "))] = line.slice(line.indexOf(": ") + 2);
    }
    if (fields.data === undefined) return;
    this.events.push({ id: Number(fields.id), name: fields.event, data: JSON.parse(fields.data) });
  }

  close() {
    this.#controller.abort();
  }
}
