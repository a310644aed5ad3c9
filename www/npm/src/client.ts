/**
 * The client as the package has it. What a page has no use for at first (what goes on once it is shown), or at all (the engine and consent kept
 * in the browser, behind a Worker) is a part of its own, which bundlers load when it is needed.
 */
import type { IdoineOptions as PageOptions } from "../../src/client.ts";
import type { GetEngine } from "../../src/engine.ts";
import { createPage, type Decider } from "../../src/page.ts";
import type { Line } from "../../src/tell.ts";
import type { Idoine, State } from "../../src/types.ts";
import { nobody } from "./nobody.ts";
import { worker, workerLine } from "./worker.ts";

export { IdoineError, type ErrorCode } from "../../src/errors.ts";
export { readState } from "../../src/page.ts";

/** How the client is set up. With no options it belongs to a site behind the Worker. */
export interface IdoineOptions extends Omit<PageOptions, "base" | "debug"> {
  /** What this site's server decided and rendered, with `idoine/server`: `readState()`. The page then decides at the next route change only. */
  readonly state?: State | undefined;
}

/** What starts the client, with the engine from where this host has it. */
export const clientWith =
  (engine: GetEngine) =>
  (options: IdoineOptions = {}): Idoine => {
    const { api, program, notice, measure, auto = true, state } = options;
    if (typeof document === "undefined") return nobody(state);
    let loading: Promise<[Decider, Line, ...unknown[]]> | undefined;
    /** What decides, and what tells, in the page itself. */
    const local = (): Promise<[Decider, Line, ...unknown[]]> => {
      const coming = (loading ??= import("../../src/local.ts").then((part) => part.local(program!, engine, api, notice)));
      // Perhaps the network was away.
      coming.catch(() => (loading = undefined));
      return coming;
    };
    const inPage: Decider = { mode: "static", decide: async (...page) => (await local())[0].decide(...page) };
    const ask = async <T>(path: string, body?: unknown, patience?: number): Promise<T> => (await local())[1].consent.ask!<T>(path, body, patience);
    return createPage(program === undefined ? worker(api) : inPage, {
      auto,
      state,
      consent: program === undefined ? undefined : { local: true, ...(api !== undefined && { ask }) },
      async load(host) {
        const [{ createLive }, line] = await Promise.all([import("../../src/live.ts"), program === undefined ? workerLine(api, measure) : local().then(([, line]) => line)]);
        return createLive(host, line, { ...options, auto }, () => import("../../src/capture/index.ts"));
      },
    });
  };
