/** The typed client for developers: everything in one call. */
import { engineIn, folderOf } from "./folder.ts";
import { isLoopback, local } from "./local.ts";
import { createLive, type Live } from "./live.ts";
import { createPage, type Host } from "./page.ts";
import { remote, remoteLine } from "./remote.ts";
import type { Capture, ExposureRule, Idoine } from "./types.ts";

/** How the client is set up. With no options it belongs to a site behind the Worker. */
export interface IdoineOptions {
  /** Address of a Worker at another host name, such as `https://decide.shop.example`. */
  readonly api?: string | undefined;
  /** A program file's address or bytes: decisions are then made in this page. `api` may still tell the place. */
  readonly program?: string | Uint8Array | undefined;
  /** With `program`: address of a file with what visitors are told before they choose, and on which terms. */
  readonly notice?: string | undefined;
  /** Folder of `engine.js` and `engine.wasm`; by default the folder of this script. */
  readonly base?: string | undefined;
  /** Whether the Worker counts what is done in pages without the visitor (`measurement-exempt`): that much is told of who has not chosen. */
  readonly measure?: boolean | string | undefined;
  /** What the page tells by itself (docs/capture.md). */
  readonly capture?: string | readonly Capture[] | undefined;
  /** When a slot counts as seen, also as the text `0.5 1000`. */
  readonly exposure?: string | ExposureRule | undefined;
  /** With `program`, on this machine (a loopback name) alone: puts the debug panel's button into the page. */
  readonly debug?: string | boolean | undefined;
  /** False: decide only when `decide()` is called, and do not follow route changes. */
  readonly auto?: boolean | undefined;
}

/** Starts the client. It never throws for reasons outside the options: what fails leaves the page as it was. */
export function createIdoine(options: IdoineOptions = {}): Idoine {
  const { api, program, notice, base, measure, debug, auto = true } = options;
  const [decider, line, facts] = program === undefined ? [remote(api), remoteLine(api, measure)] : local(program, engineIn(base), api, notice);
  const { ask, local: isLocal } = line.consent;
  const load = async (host: Host): Promise<Live> => createLive(host, line, { ...options, auto }, () => import("./capture/index.ts"));
  const client = createPage(decider, { auto, load, consent: { ...(ask && { ask }), ...(isLocal && { local: true }) } });
  // To whom a page is shown, and why, is nobody's business but the developer's: elsewhere there is no panel, whatever the page says.
  if (facts && isLoopback()) {
    const folder = folderOf(base);
    const page = { program, consent: client.consent, folder, facts };
    const panel = (): Promise<any> => import(/* @vite-ignore */ /* webpackIgnore: true */ new URL("debug.js", folder).href);
    Object.assign(client.debug, { open: async () => (await panel()).open(page) });
    if (debug !== undefined && `${debug}` !== "false") panel().then(({ offer }) => offer(page)).catch(console.error);
  }
  return client;
}
