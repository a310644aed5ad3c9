/**
 * The loader: one `<script async src=".../idoine.js">`. It turns `window.idoine` into the client.
 *
 * | attribute | meaning |
 * | --- | --- |
 * | (none) | the site is behind the Worker: the page already shows its decisions; route changes ask for new ones |
 * | `data-api` | address of a Worker at another host name: decisions are asked there |
 * | `data-program` | address of a program file: the engine decides in this page |
 * | `data-notice` | with `data-program`: address of a file with what visitors are told before they choose |
 * | `data-base` | folder of `client.js`, `engine.js` and `engine.wasm`; by default this script's own |
 * | `data-auto="false"` | nothing is decided until `idoine.decide()` is called |
 * | `data-consent` | version of the wording: who did not choose in it is asked. `none` asks nobody, and fills the elements of ours that the page has |
 * | `data-platforms` | the consent platforms that are listened to: `tcf`, `google` |
 * | `data-measure` | the Worker counts what is done in the page without the visitor: that much is sent of who has not chosen |
 * | `data-capture` | what the page tells by itself, as `pages scroll` (docs/capture.md) |
 * | `data-exposure` | when a slot counts as seen: the share that is visible, and for how many milliseconds, as `0.5 1000` |
 *
 * The same may stand in `window.idoine = { api: "..." }` before, or with the stub in `idoine.options`; attributes count before those.
 * Only `data-program` needs WebAssembly, and only then is more than this file loaded at once; what goes on once the page is shown (live.js)
 * comes when the page has nothing better to do. Behind the Worker the last five are written by it.
 */
import { createPage } from "../src/page.ts";
import { remote } from "../src/remote.ts";
import type { Idoine } from "../src/types.ts";
import { createQueue, type Call, type Queue } from "./queue.ts";

const script = document.currentScript as HTMLScriptElement | null;
const given = window.idoine;
// Options, or an element of the page that has that name.
const waiting: Queue = given?.call ? given : createQueue();
const data: DOMStringMap & Queue["options"] = { ...(given?.call ? given.options : (given as object)), ...script?.dataset };
const { base } = data;

/** Loads the neighbour of this file with that name. */
const neighbour = (file: string): Promise<any> => import(new URL(file + ".js", base ? new URL(base.replace(/\/?$/, "/"), location.href) : script?.src) as unknown as string);

/** Makes `window.idoine` the client, and does what was asked of it before. */
function open(client: Idoine): void {
  const run = (job: Call[0], ...args: unknown[]): unknown => {
    try {
      // A method by its name: `decide`, `consent.set`.
      const result = typeof job === "string" ? job.split(".").reduce<any>((holder, part) => holder[part], client)(...args) : job(client);
      // Nobody may be waiting for it: a consent that can't be saved is no uncaught error of the page.
      result?.catch?.(console.error);
      return result;
    } catch (cause) {
      // The page's own mistake must not keep the other calls from running.
      console.error(cause);
    }
  };
  const ask = async (of?: unknown): Promise<void> => (await neighbour("asks")).open(of);
  (client.consent as any).show = (client.consent as any).platform = ask;
  const calls = waiting.q as Call[];
  // Whoever has kept the old `window.idoine` still reaches the client.
  waiting.q = { push: (call: Call) => run(...call) };
  window.idoine = Object.assign(run, waiting, client);
  for (const call of calls) run(...call);
  void client.ready.then(waiting.show);
  if (data.consent || data.platforms) run(() => ask(data));
}

async function start(): Promise<void> {
  const auto = data.auto + "" !== "false";
  // What decides in the page is of no use to sites behind a Worker, so it is not part of this file.
  open(
    data.program
      ? (await neighbour("client")).createIdoine({ ...data, auto })
      : createPage(remote(data.api), { auto, load: async (host) => (await neighbour("live")).open(host, data, auto) }),
  );
}

if (!waiting.loaded) {
  waiting.loaded = true;
  window.idoine = waiting;
  // Attributes that make no sense, or a script that does not come: the page stays as it is.
  start().catch(() => waiting.show?.());
}
