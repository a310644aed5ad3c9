// The way to the origin and back, for everything that is no page of Idoine's.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { startOrigin, startWorker, wholeBody } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "*": (request, response) => response.end("ok") });
  worker = await startWorker({ origin: origin.url, manifest: site() });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});

const last = () => origin.received.at(-1)!;

test("the origin learns what the visitor asked for, and nothing of ours", async () => {
  await worker.fetch("https://shop.example/path/%C3%A9?a=1&b=%20x+y&idoine.geo.country=FR", {
    headers: {
      cookie: "session=abc; idoine_id=12345678-abcd; theme=dark; idoine_consent=v1",
      "x-forwarded-host": "evil.example",
      "x-custom": "1",
      authorization: "Bearer x",
      connection: "keep-alive, x-drop-me",
      "x-drop-me": "1",
      te: "trailers",
    },
  });
  const { url, headers } = last();
  assert.equal(url, "/path/%C3%A9?a=1&b=%20x+y&idoine.geo.country=FR");
  assert.equal(headers["cookie"], "session=abc; theme=dark");
  assert.equal(headers["host"], new URL(origin.url).host);
  assert.equal(headers["x-forwarded-host"], "shop.example");
  assert.equal(headers["x-forwarded-proto"], "https");
  assert.equal(headers["x-custom"], "1");
  assert.equal(headers["authorization"], "Bearer x");
  assert.equal(headers["x-drop-me"], undefined);
  assert.equal(headers["te"], undefined);
  await worker.fetch("/none", { headers: { cookie: "idoine_id=12345678-abcd" } });
  assert.equal(last().headers["cookie"], undefined);
  await worker.fetch("/none", { headers: { cookie: "a=1;b=2;  c" } });
  assert.equal(last().headers["cookie"], "a=1;b=2;  c");
});

test("no request leads to another host", async () => {
  for (const path of ["https://shop.example//evil.example/x", "https://shop.example/\\evil.example", "https://shop.example/@evil.example/", "https://shop.example/http://evil.example/", "https://user:pass@shop.example/x"]) {
    const reply = await worker.fetch(path);
    assert.equal(reply.text, "ok", path);
    assert.equal(last().headers["host"], new URL(origin.url).host, path);
  }
  assert.equal((await worker.fetch("https://shop.example//evil.example/x")).status, 200);
  assert.equal(last().url, "//evil.example/x");
});

test("an origin below a path keeps its path", async () => {
  const below = await startWorker({ origin: `${origin.url}/shops/one/` });
  try {
    await below.fetch("/a?b");
    assert.equal(last().url, "/shops/one/a?b");
    origin.routes["/shops/one/move"] = (request, response) => response.writeHead(302, { location: `${origin.url}/shops/one/there` }).end();
    assert.equal((await below.fetch("/move")).header("location"), "https://shop.example/there");
    origin.routes["/shops/one/move"] = (request, response) => response.writeHead(302, { location: `${origin.url}/shops/two/` }).end();
    assert.equal((await below.fetch("/move")).header("location"), `${origin.url}/shops/two/`);
    const host = new URL(origin.url).host;
    for (const [location, expected] of [
      ["/shops/one/x?a=1#b", "/x?a=1#b"],
      ["/shops/one", "/"],
      ["/shops/one/", "/"],
      ["/shops/onetwo", "/shops/onetwo"],
      ["/shops/two/x", "/shops/two/x"],
      ["/shops/one/../two", "/shops/one/../two"],
      ["/shops/one//evil.example/x", "https://shop.example//evil.example/x"],
      ["\\shops\\one\\\\evil.example", "https://shop.example//evil.example"],
      ["there", "there"],
      ["?a", "?a"],
      [`//${host}/shops/one/there`, "https://shop.example/there"],
      [`//${host}/shops/two`, `//${host}/shops/two`],
    ] as const) {
      origin.routes["/shops/one/move"] = (request, response) => response.writeHead(302, { location }).end();
      assert.equal((await below.fetch("/move")).header("location"), expected, location);
    }
  } finally {
    await below.dispose();
  }
});

test("bodies go through, of known length and streamed", async () => {
  const body = Buffer.alloc(300_000, "äöü");
  let hash = "";
  origin.routes["/upload"] = async (request, response) => {
    hash = createHash("sha256").update(await wholeBody(request)).digest("hex");
    response.writeHead(201, { "x-length": request.headers["content-length"] ?? "chunked" }).end("stored");
  };
  const expected = createHash("sha256").update(body).digest("hex");
  for (const method of ["POST", "PUT", "PATCH"]) {
    const reply = await worker.fetch("/upload", { method, body, headers: { "content-type": "application/octet-stream" } });
    assert.equal(reply.status, 201);
    assert.equal(hash, expected);
    hash = "";
  }
  async function* chunks() {
    for (let at = 0; at < body.length; at += 10_000) {
      yield body.subarray(at, at + 10_000);
    }
  }
  const reply = await worker.fetch("/upload", { method: "POST", body: chunks() });
  assert.equal(reply.text, "stored");
  assert.equal(hash, expected);
});

test("an upload that was begun reaches the origin before it has ended", async () => {
  let begun = () => {};
  const atOrigin = new Promise<void>((resolve) => (begun = resolve));
  origin.routes["/upload"] = async (request, response) => {
    request.once("data", begun);
    await wholeBody(request);
    response.end("stored");
  };
  async function* slow() {
    yield Buffer.alloc(64_000, "a");
    await atOrigin; // Never, if the Worker waited for the whole.
    yield Buffer.from("b");
  }
  assert.equal((await worker.fetch("/upload", { method: "POST", body: slow() })).text, "stored");
});

test("every Set-Cookie is kept, in order; status text and unknown headers too", async () => {
  origin.routes["/login"] = (request, response) => {
    response.writeHead(303, "See Also", [["set-cookie", "a=1"], ["set-cookie", "b=2; Expires=Thu, 01 Jan 2037 00:00:00 GMT"], ["set-cookie", "c=3"], ["location", "/account"], ["x-odd", "1"]] as unknown as string[]);
    response.end();
  };
  const reply = await worker.fetch("/login", { method: "POST", body: "x" });
  assert.equal(reply.status, 303);
  assert.equal(reply.statusText, "See Also");
  assert.deepEqual(reply.cookies, ["a=1", "b=2; Expires=Thu, 01 Jan 2037 00:00:00 GMT", "c=3"]);
  assert.equal(reply.header("location"), "/account");
  assert.equal(reply.header("x-odd"), "1");
});

test("redirects of the origin to itself lead to the site, others are left alone, none is followed", async () => {
  for (const [location, expected] of [
    [`${origin.url}/there?a=1#b`, "https://shop.example/there?a=1#b"],
    [origin.url, "https://shop.example/"],
    ["/there", "/there"],
    ["there", "there"],
    ["//cdn.example/x", "//cdn.example/x"],
    [origin.url.replace("http:", "") + "/there", "https://shop.example/there"],
    ["/\\evil.example/x", "/\\evil.example/x"],
    ["http://[", "http://["],
    ["https://pay.example/checkout", "https://pay.example/checkout"],
    [`${origin.url}.evil.example/`, `${origin.url}.evil.example/`],
  ] as const) {
    origin.routes["/move"] = (request, response) => response.writeHead(301, { location, etag: '"x"' }).end("moved");
    const before = origin.received.length;
    const reply = await worker.fetch("/move");
    assert.equal(reply.header("location"), expected);
    assert.equal(reply.status, 301);
    assert.equal(reply.text, "moved");
    assert.equal(reply.header("etag"), '"x"');
    assert.equal(origin.received.length, before + 1);
  }
});

test("headers of the origin's connection end here, though no Connection header names them", async () => {
  const named = { "keep-alive": "timeout=5", "proxy-authenticate": "Basic", "proxy-connection": "close", trailer: "x-sum", upgrade: "h2c", te: "trailers" };
  for (const [name, value] of Object.entries(named)) {
    origin.routes["/hop"] = (request, response) => {
      response.socket!.end(`HTTP/1.1 200 OK\r\n${name}: ${value}\r\netag: "x"\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\nok`);
    };
    const reply = await worker.fetch("/hop");
    // The one of the connection to the visitor is another.
    assert.notEqual(reply.header(name), value, name);
    assert.deepEqual([reply.text, reply.header("etag"), reply.header("content-length"), reply.cookies], ["ok", '"x"', "2", ["a=1", "b=2"]], name);
  }
});

test("ranges pass through", async () => {
  origin.routes["/"] = (request, response) => response.writeHead(206, { "content-type": "text/html", "content-range": "bytes 0-3/900", etag: '"x"' }).end(PAGE.slice(0, 4));
  const reply = await worker.fetch("/", { headers: { range: "bytes=0-3", "if-range": '"x"' } });
  assert.equal(last().headers["range"], "bytes=0-3");
  assert.equal(last().headers["if-range"], '"x"');
  assert.equal(reply.status, 206);
  assert.equal(reply.header("content-range"), "bytes 0-3/900");
  assert.equal(reply.text, PAGE.slice(0, 4));
});

test("a websocket is opened through the Worker", async () => {
  // An origin that speaks just enough: the handshake, then every frame back as it came, unmasked.
  const server = createServer((socket) => {
    let greeted = false;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (!greeted) {
        greeted = true;
        const key = /sec-websocket-key: (.*)\r\n/i.exec(data.toString())![1];
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
        return;
      }
      const length = data[1]! & 127;
      const [mask, payload] = [data.subarray(2, 6), data.subarray(6, 6 + length)];
      socket.write(Buffer.concat([Buffer.from([data[0]!, length]), payload.map((byte, at) => byte ^ mask[at % 4]!)]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = await startWorker({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  try {
    const echo = await new Promise<string>((resolve, reject) => {
      const request = httpRequest({ host: through.address.hostname, port: through.address.port, path: "/ws", headers: { connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" } });
      request.on("upgrade", (_, socket) => {
        const [mask, payload] = [Buffer.from([1, 2, 3, 4]), Buffer.from("hello")];
        socket.on("data", (frame) => {
          resolve(frame.subarray(2).toString());
          socket.destroy();
        });
        socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload.map((byte, at) => byte ^ mask[at % 4]!)]));
      });
      request.on("response", (response) => reject(new Error(`status ${response.statusCode}`)));
      request.on("error", reject);
      request.end();
    });
    assert.equal(echo, "hello");
  } finally {
    await through.dispose();
    server.close();
  }
});

test("a site that is its own origin ends at once", async () => {
  const received = (await worker.fetch("/none"), last().headers);
  const reply = await worker.fetch("/none", { headers: { "x-idoine-via": received["x-idoine-via"]! } });
  assert.equal(reply.status, 508);
  assert.equal(reply.text, "The origin of this site leads back to the site.\n");
  const other = await worker.fetch("/none", { headers: { "x-idoine-via": "another-site" } });
  assert.equal(other.text, "ok");
  assert.equal(last().headers["x-idoine-via"], "another-site, shop");
});

test("an origin that can't be reached, and one that is not configured, give a plain 502", async () => {
  const closed = await startOrigin();
  await closed.close();
  for (const [options, text] of [
    [{ origin: closed.url }, /^The site can't be reached/],
    [{}, /^No origin is configured/],
    [{ origin: "not a URL" }, /^No origin is configured/],
    [{ origin: "file:///etc/passwd" }, /^No origin is configured/],
  ] as const) {
    const down = await startWorker({ ...options, manifest: site() });
    try {
      for (const init of [{}, { method: "POST", body: "x" }]) {
        const reply = await down.fetch("/", init);
        assert.equal(reply.status, 502);
        assert.match(reply.text, text);
        assert.equal(reply.header("content-type"), "text/plain; charset=utf-8");
        assert.equal(reply.header("cache-control"), "no-store");
      }
    } finally {
      await down.dispose();
    }
  }
});

test("an error page of the origin is the origin's", async () => {
  origin.routes["/none"] = (request, response) => response.writeHead(503, { "retry-after": "7" }).end("maintenance");
  const reply = await worker.fetch("/none");
  assert.equal(reply.status, 503);
  assert.equal(reply.text, "maintenance");
  assert.equal(reply.header("retry-after"), "7");
});

test("an origin that breaks off half way breaks off for the visitor too", async () => {
  for (const path of ["/none", "/"]) {
    origin.routes[path] = (request, response) => {
      response.writeHead(200, { "content-type": "text/html", "content-length": 100_000 });
      response.write("<h1>Hello</h1>", () => setTimeout(() => response.destroy(), 50));
    };
    const message = await worker.open(path);
    await assert.rejects(wholeBody(message));
  }
});
