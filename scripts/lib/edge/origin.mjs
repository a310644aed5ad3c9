// The origin of the benchmark and of the soak test, in a process of its own: whole answers, kept ready as bytes, on open connections. It costs as little as
// can be, so that what is measured is the Worker.
//
//   node scripts/lib/edge/origin.mjs    prints its port; ends when its stdin does
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { page } from "./site.mjs";

/** The sizes of the pages, in thousands of bytes. */
export const SIZES = [18, 76, 300];

const answer = (body, ...headers) =>
  Buffer.concat([Buffer.from(["HTTP/1.1 200 OK", "content-type: text/html; charset=utf-8", "cache-control: no-cache", 'etag: "bench"', ...headers, `content-length: ${body.length}`, "", ""].join("\r\n")), body]);

/** Answers by path: `/one/76` and `/twenty/76` are the same page; behind `/gzip` it is compressed. */
function answers() {
  const all = new Map();
  for (const size of SIZES) {
    const body = Buffer.from(page(size * 1000));
    for (const slots of ["one", "twenty"]) {
      all.set(`/${slots}/${size}`, answer(body));
      all.set(`/${slots}/${size}/gzip`, answer(gzipSync(body), "content-encoding: gzip"));
    }
  }
  return all;
}

function serve() {
  const all = answers();
  const missing = Buffer.from("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
  const server = createServer({ noDelay: true }, (socket) => {
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      head += chunk.toString("latin1");
      // Requests have no body, and no client sends one before it has the answer to the last.
      if (!head.endsWith("\r\n\r\n")) return;
      socket.write(all.get(head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/"))) ?? missing);
      head = "";
    });
  });
  server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
  process.stdin.resume().on("end", () => process.exit(0));
}

/** Starts it. */
export async function startOrigin() {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { stdio: ["pipe", "pipe", "inherit"] });
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(Number(line)));
    child.once("error", reject).once("exit", (code) => reject(new Error(`the origin ended (exit code ${code})`)));
  });
  return { port, url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => child.removeAllListeners("exit").once("exit", resolve).stdin.end()) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve();
