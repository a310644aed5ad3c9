// A client that costs little: one connection, one request at a time, and of an answer no more than where it ends.
import { connect } from "node:net";

/** What Chrome sends for a page. */
const HEADERS = [
  "host: shop.example",
  "connection: keep-alive",
  'sec-ch-ua: "Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Windows"',
  "upgrade-insecure-requests: 1",
  "user-agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "sec-fetch-site: none",
  "sec-fetch-mode: navigate",
  "sec-fetch-user: ?1",
  "sec-fetch-dest: document",
  "accept-encoding: gzip, deflate, br, zstd",
  "accept-language: en-GB,en;q=0.9",
];

const request = (path) => Buffer.from([`GET ${path} HTTP/1.1`, ...HEADERS, "", ""].join("\r\n"));
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

/** An open connection. */
export class Connection {
  #socket;
  #requests = new Map();
  #current;
  #closed;

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (data) => this.#read(data));
    const broken = (error) => {
      this.#closed ??= error ?? new Error("the connection was closed");
      this.#current?.reject(this.#closed);
    };
    socket.on("error", broken).on("close", () => broken());
  }

  static open(port) {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(new Connection(socket)));
      socket.once("error", reject);
    });
  }

  /**
   * Gets a page. Milliseconds from sending to the first byte of the body and to the last; with `keep` also what came, as it came.
   * @returns {Promise<{first: number, last: number, raw: Buffer | undefined}>}
   */
  get(path, keep = false) {
    if (!this.#requests.has(path)) this.#requests.set(path, request(path));
    return this.send(this.#requests.get(path), keep);
  }

  /** As `get`, with a request's own bytes. */
  send(bytes, keep = false) {
    // workerd closes connections that were idle for five seconds.
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#current = { resolve, reject, begun: performance.now(), first: 0, head: "", left: -1, isChunked: false, end: Buffer.alloc(0), all: keep ? [] : undefined };
      this.#socket.write(bytes);
    });
  }

  close() {
    this.#current = undefined;
    this.#socket.destroy();
  }

  #read(data) {
    const current = this.#current;
    if (current === undefined) return;
    current.all?.push(data);
    if (current.left < 0) {
      current.head += data.toString("latin1");
      const end = current.head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = current.head.slice(0, end);
      if (!head.startsWith("HTTP/1.1 200")) return this.#done(() => current.reject(new Error(`${head.split("\r\n")[0]} ${data.toString("latin1").slice(-300)}`)));
      current.isChunked = /\r\ntransfer-encoding: chunked/i.test(head);
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      if (!current.isChunked && length === undefined) return this.#done(() => current.reject(new Error("an answer without a length")));
      current.left = Number(length ?? 0);
      data = data.subarray(data.length - (current.head.length - end - 4));
      if (data.length === 0) return;
    }
    if (current.first === 0) current.first = performance.now() - current.begun;
    let isWhole;
    if (current.isChunked) {
      // No second request is under way, so the answer ends with what has come.
      current.end = data.length >= LAST_CHUNK.length ? data.subarray(-LAST_CHUNK.length) : Buffer.concat([current.end, data]).subarray(-LAST_CHUNK.length);
      isWhole = current.end.equals(LAST_CHUNK);
    } else {
      current.left -= data.length;
      isWhole = current.left === 0;
    }
    if (isWhole) this.#done(() => current.resolve({ first: current.first, last: performance.now() - current.begun, raw: current.all && Buffer.concat(current.all) }));
  }

  #done(settle) {
    this.#current = undefined;
    settle();
  }
}

/** An answer as it came over the wire: its head, and its body without the chunks' frames. */
export function parse(raw) {
  const end = raw.indexOf("\r\n\r\n");
  const head = raw.subarray(0, end).toString("latin1");
  const body = raw.subarray(end + 4);
  if (!/\r\ntransfer-encoding: chunked/i.test(head)) return { head, body };
  const parts = [];
  for (let at = 0; ; ) {
    const line = body.indexOf("\r\n", at);
    const length = Number.parseInt(body.subarray(at, line).toString("latin1"), 16);
    if (!(length > 0)) return { head, body: Buffer.concat(parts) };
    parts.push(body.subarray(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
}
