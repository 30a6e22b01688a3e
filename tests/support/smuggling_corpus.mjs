// Requests of which proxies and servers do not agree where they end, or whose they are. Behind each, another
// request is hidden: `smuggled`. A server that answers it has been fooled.

const head = (...lines) => `${lines.join("\r\n")}\r\n\r\n`;
const overLimit = 9 * 1024;

/**
 * @param {string} smuggled a whole request
 * @param {string} key of the API
 * @returns {{name: string, bytes: string, alone: number | number[]}[]} `alone`: the one status that the
 *   server without a proxy refuses it with, and closes; or the status of each answer, where the request is
 *   not ambiguous
 */
export function corpus(smuggled, key) {
  const authorization = `Authorization: Bearer ${key}`;
  const post = (...lines) =>
    head("POST /v1/payments HTTP/1.1", "Host: shop", authorization, "Content-Type: application/json", ...lines);
  const get = (...lines) => head("GET /readyz HTTP/1.1", "Host: shop", ...lines);
  const chunked = (body) => `${post("Transfer-Encoding: chunked")}${body}`;
  const lengthOf = `Content-Length: ${smuggled.length}`;
  // As chunks it ends with the first line, by its length behind the hidden request.
  const either = `0\r\n\r\n${smuggled}`;
  const all = `Content-Length: ${either.length}`;
  const refused = (status) => (cases) => Object.entries(cases).map(([name, bytes]) => ({ name, bytes, alone: status }));

  return [
    ...refused(400)({
      "TE gzip": post("Transfer-Encoding: gzip") + either,
      "TE gzip beside a length": post("Transfer-Encoding: gzip", all) + either,
      "TE identity beside a length": post("Transfer-Encoding: identity", all) + either,
      "TE with two blanks and a tab before chunked": post("Transfer-Encoding:  \tx chunked") + either,
      "TE x chunked": post("Transfer-Encoding: x chunked") + either,
      "TE xchunked": post("Transfer-Encoding: xchunked", all) + either,
      "TE chunked, identity": post("Transfer-Encoding: chunked, identity") + either,
      "TE identity, chunked": post("Transfer-Encoding: identity, chunked") + either,
      "TE gzip, chunked": post("Transfer-Encoding: gzip, chunked") + either,
      "TE chunked, chunked": post("Transfer-Encoding: chunked, chunked") + either,
      "TE chunked with a comma behind": post("Transfer-Encoding: chunked,") + either,
      "TE chunked with a parameter": post("Transfer-Encoding: chunked;q=1") + either,
      "TE in quotes": post('Transfer-Encoding: "chunked"', all) + either,
      "TE with a vertical tab": post("Transfer-Encoding: \x0bchunked", all) + either,
      "TE with a byte above ASCII": post("Transfer-Encoding: chunked\xa0", all) + either,
      "TE empty": post("Transfer-Encoding:", all) + either,
      "TE twice": post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + either,
      "TE twice, the second of another kind": post("Transfer-Encoding: chunked", "Transfer-Encoding: x", all) + either,
      "TE twice, the first of another kind": post("Transfer-Encoding: x", "Transfer-Encoding: chunked", all) + either,
      "TE before a length": post("Transfer-Encoding: chunked", all) + either,
      "TE behind a length": post(all, "Transfer-Encoding: chunked") + either,
      "TE beside a length of zero": post("Content-Length: 0", "Transfer-Encoding: chunked") + either,
      "TE in capitals beside a length": post("TRANSFER-ENCODING: CHUNKED", all) + either,
      "TE in HTTP/1.0":
        head("POST /v1/payments HTTP/1.0", "Host: shop", "Connection: keep-alive", "Transfer-Encoding: chunked") +
        either,
      "TE in HTTP/1.0 beside a length":
        head("POST /v1/payments HTTP/1.0", "Connection: keep-alive", all, "Transfer-Encoding: chunked") + either,
      "TE on a folded line": post("Transfer-Encoding:\r\n chunked", all) + either,
      "TE with a blank before the colon": post("Transfer-Encoding : chunked", all) + either,
      "TE with a tab before the colon": post("Transfer-Encoding\t: chunked", all) + either,
      "TE behind a bare CR": post("X: a\rTransfer-Encoding: chunked", all) + either,
      "TE behind a bare LF": post("X: a\nTransfer-Encoding: chunked", all) + either,
      "TE behind a NUL": post("X: a\0\r\nTransfer-Encoding: chunked", all) + either,

      "two different lengths": post("Content-Length: 0", lengthOf) + smuggled,
      "two equal lengths": post(lengthOf, lengthOf) + smuggled,
      "two lengths in one line": post("Content-Length: 0, 0") + smuggled,
      "length +0": post("Content-Length: +0") + smuggled,
      "length -0": post("Content-Length: -0") + smuggled,
      "length -1": post("Content-Length: -1") + smuggled,
      "length 0x0": post("Content-Length: 0x0") + smuggled,
      "length 0 0": post("Content-Length: 0 0") + smuggled,
      "length 0.0": post("Content-Length: 0.0") + smuggled,
      "length 0e1": post("Content-Length: 0e1") + smuggled,
      "length empty": post("Content-Length:") + smuggled,
      "length that wraps around 64 bits": post("Content-Length: 18446744073709551616") + smuggled,
      "length of forty digits": post(`Content-Length: ${"9".repeat(40)}`) + smuggled,
      "length with a blank before the colon": post("Content-Length : 0") + smuggled,
      "length on a folded line": post("Content-Length:\r\n 0") + smuggled,
      "length with a NUL": post("Content-Length: 0\0") + smuggled,

      "a folded header": get("X: a", " b") + smuggled,
      "a folded header with a tab": get("X: a", "\tContent-Length: 5") + smuggled,
      "a folded first header": head("GET /readyz HTTP/1.1", " Host: shop") + smuggled,
      "bare LFs": `GET /readyz HTTP/1.1\nHost: shop\n\n${smuggled}`,
      "one bare LF": `GET /readyz HTTP/1.1\r\nHost: shop\nX: a\r\n\r\n${smuggled}`,
      "a bare LF for the empty line": `GET /readyz HTTP/1.1\r\nHost: shop\r\n\n${smuggled}`,
      "a bare CR": get("X: a\rb") + smuggled,
      "a doubled CR": get("X: a\r") + smuggled,
      "a NUL in a name": get("X\0Y: a") + smuggled,
      "a NUL in a value": get("X: a\0b") + smuggled,
      "a name with a blank": get("X Y: a") + smuggled,
      "a name of nothing": get(": a") + smuggled,
      "a line without a colon": get("Content-Length") + smuggled,
      "an empty line in front": `\r\n${get()}${smuggled}`,

      "no Host": head("GET /readyz HTTP/1.1") + smuggled,
      "two Hosts": get("Host: other") + smuggled,
      "two equal Hosts": get("Host: shop") + smuggled,
      "an absolute target": head("GET http://other/readyz HTTP/1.1", "Host: shop") + smuggled,
      "an authority as target": head("CONNECT other:443 HTTP/1.1", "Host: shop") + smuggled,
      "a target of an asterisk": head("OPTIONS * HTTP/1.1", "Host: shop") + smuggled,
      "two blanks before the target": head("GET  /readyz HTTP/1.1", "Host: shop") + smuggled,
      "a blank behind the version": head("GET /readyz HTTP/1.1 ", "Host: shop") + smuggled,
      "a tab for a blank": head("GET\t/readyz HTTP/1.1", "Host: shop") + smuggled,
      "HTTP/0.9": `GET /readyz\r\n\r\n${smuggled}`,
      "HTTP/1.2": head("GET /readyz HTTP/1.2", "Host: shop") + smuggled,
      "HTTP/2's preface": `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`,

      "a chunk with an extension": chunked(`1;a=b\r\nx\r\n${either}`),
      "a last chunk with an extension": chunked(`0;a\r\n\r\n${smuggled}`),
      "a chunk's extension ends with LF": chunked(`1;a\nx\r\n${either}`),
      "a chunk's extension holds a CR": chunked(`1;a\rb\r\nx\r\n${either}`),
      "chunks that end with LF": chunked(`1\nx\n0\n\n${smuggled}`),
      "a chunk's size beyond 64 bits": chunked(`10000000000000000\r\n${either}`),
      "a chunk's size that wraps around 64 bits": chunked(`10000000000000001\r\nx\r\n${either}`),
      "a chunk's size of 0x1": chunked(`0x1\r\nx\r\n${either}`),
      "a chunk's size of +1": chunked(`+1\r\nx\r\n${either}`),
      "a chunk's size of -1": chunked(`-1\r\nx\r\n${either}`),
      "a chunk's size of 1_0": chunked(`1_0\r\nx\r\n${either}`),
      "a chunk's size with a blank in front": chunked(` 1\r\nx\r\n${either}`),
      "a chunk's size with a blank behind": chunked(`1 \r\nx\r\n${either}`),
      "a chunk's size with a tab behind": chunked(`1\t\r\nx\r\n${either}`),
      "a chunk without a size": chunked(`\r\nx\r\n${either}`),
      "a chunk that is longer than its size": chunked(`1\r\nxy\r\n${either}`),
      "a chunk without its end": chunked(`1\r\nx${either}`),
      "a trailer": chunked(`0\r\nX: a\r\n\r\n${smuggled}`),
      "a length as trailer": chunked(`0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`),
      "a trailer with LF": chunked(`0\r\nX: a\n\r\n${smuggled}`),
    }),
    ...refused(431)({
      "a header over the limit": get(`X: ${"a".repeat(overLimit)}`) + smuggled,
      "many headers over the limit":
        get(...Array.from({ length: overLimit / 8 }, (_, index) => `x${index}: 1`)) + smuggled,
      "a target over the limit": head(`GET /readyz?${"a".repeat(overLimit)} HTTP/1.1`, "Host: shop") + smuggled,
    }),

    { name: "one request", bytes: get(), alone: [200] },
    { name: "two requests at once", bytes: get() + get(), alone: [200, 200] },
    { name: "a hidden request as a body", bytes: post(lengthOf) + smuggled, alone: [400] },
    { name: "a hidden request as the body of a GET", bytes: get(lengthOf) + smuggled, alone: [200] },
    {
      name: "a hidden request as the body of a DELETE",
      bytes: head("DELETE /v1/payments HTTP/1.1", "Host: shop", authorization, lengthOf) + smuggled,
      alone: [405],
    },
    {
      name: "a hidden request in chunks",
      bytes: chunked(`${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`),
      alone: [400],
    },
    {
      name: "a hidden request in chunks of a GET",
      bytes: `${get("Transfer-Encoding: chunked")}${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      alone: [200],
    },
    { name: "chunks, another request", bytes: chunked("2\r\n{}\r\n0\r\n\r\n") + get(), alone: [400, 200] },
    { name: "a size with zeros in front", bytes: chunked("0002\r\n{}\r\n000\r\n\r\n") + get(), alone: [400, 200] },
    {
      name: "a length named as a header of this hop",
      bytes: post("Connection: Content-Length", lengthOf) + smuggled,
      alone: [400],
    },
    {
      name: "a length with an underscore",
      bytes: get("Content_Length: 5", "Transfer_Encoding: chunked"),
      alone: [200],
    },
    {
      name: "the body is told to wait, and does not",
      bytes: post("Expect: 100-continue", lengthOf) + smuggled,
      alone: [400],
    },
    {
      name: "an upgrade to HTTP/2",
      bytes: get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
      alone: [200],
    },
    {
      name: "an upgrade to a WebSocket",
      bytes: get(
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ),
      alone: [200],
    },
  ];
}
