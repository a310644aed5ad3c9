/** The typed client for developers: everything in one call. */
import { local } from "./local.ts";
import { createPage } from "./page.ts";
import { remote } from "./remote.ts";
import type { Idoine } from "./types.ts";

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
  /** False: decide only when `decide()` is called, and do not follow route changes. */
  readonly auto?: boolean | undefined;
}

/** Starts the client. It never throws for reasons outside the options: what fails leaves the page as it was. */
export function createIdoine(options: IdoineOptions = {}): Idoine {
  const { api, program, notice, base, auto = true } = options;
  return createPage(program === undefined ? remote(api) : local(program, base, api, notice), auto);
}
