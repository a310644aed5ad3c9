// A server on a free loopback port that compresses what it answers, as sites do.
import { once } from "node:events";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

/** Serves these: by path a text, bytes with a type, or a function of the request's body. */
export async function serve(files) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname } = new URL(request.url, "http://site");
    let file = files[pathname] ?? files["*"];
    if (typeof file === "function") file = file(Buffer.concat(chunks).toString());
    if (file === undefined) return response.writeHead(404).end();
    const { type = "text/html; charset=utf-8", body } = typeof file === "string" ? { body: file } : file;
    response.writeHead(200, { "content-type": type, "content-encoding": "gzip", "cache-control": "no-store" }).end(gzipSync(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export const script = (body) => ({ type: "text/javascript; charset=utf-8", body });
export const json = (value) => ({ type: "application/json", body: JSON.stringify(value) });
