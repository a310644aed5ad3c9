/**
 * Decisions on a server, for pages that it renders itself: by the engine, from a program, or asked from a Worker. What comes of it is data, as in
 * pages, with a state that goes into the page, so that the client there begins with what the visitor already sees.
 */
import { loadEngine, type Engine, type GetEngine } from "../../src/engine.ts";
import { IdoineError } from "../../src/errors.ts";
import type { Answer, Failure, State, VisitorsDecided } from "../../src/types.ts";
import { rawRequest, visitorOf, type Page } from "./request.ts";

export { IdoineError, type ErrorCode } from "../../src/errors.ts";
export type { Page } from "./request.ts";

/** Where decisions come from. */
export type ServerOptions =
  | {
      /** A program's bytes, or its address. */
      readonly program: Uint8Array | URL | string;
    }
  | {
      /** Address of a Worker, such as `https://shop.example`. */
      readonly api: URL | string;
      /** One of its tokens. Servers alone may know it. */
      readonly key: string;
      /** How long an answer is waited for, in milliseconds; 1,000 unless it is said. */
      readonly patience?: number | undefined;
    };

/** What one visitor gets to see on one page. */
export interface Decided extends Answer {
  /** Values of the data slots. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What the page is given, so that the client in it begins with the same: see `stateScript`. */
  readonly state: State;
  /** Address of the page that is to be shown instead, if there is one. */
  readonly redirect: string | undefined;
}

export interface IdoineServer {
  /** Decides for a request: of `fetch`, or `{ url, headers }` of Node. `more` is laid over what the request says. Rejects with an `IdoineError`. */
  decide(request: Request | Page, more?: Partial<Page>): Promise<Decided>;
}

/** The state as an element for the page's HTML. Nothing in it can end the element or begin another one. */
export function stateScript(state: State): string {
  return `<script type="application/json" id="idoine-state">${stateText(state)}</script>`;
}

/** The text of that element. */
export const stateText = (state: State): string => JSON.stringify(state).replace(/</g, "\\u003c");

function decided(answer: Answer): Decided {
  const { version, decisions, edits } = answer;
  const values: Record<string, unknown> = {};
  for (const { op, slot, value } of edits) if (op === "json") values[slot] = JSON.parse(value ?? "null");
  const shown = edits.filter(({ op }) => op !== "json" && op !== "redirect" && op !== "page");
  return { ...answer, values, state: { version, decisions, values, edits: shown }, redirect: edits.find(({ op }) => op === "redirect")?.value };
}

/** Sets up decisions on this server, with the engine from where this host has it. */
export const serverWith =
  (engine: GetEngine) =>
  (options: ServerOptions): IdoineServer => {
    if ("api" in options) {
      const { api, key, patience = 1000 } = options;
      if (!URL.canParse(api)) throw new IdoineError("option_invalid", `api: ${JSON.stringify(api)} is no absolute URL, such as https://shop.example`);
      if (!key) throw new IdoineError("option_invalid", "key: one of the Worker's tokens is needed to ask it for visitors");
      return { decide: async (request, more) => decided(await ask(new URL("/_idoine/api/decide", api), key, patience, visitorOf(request, more))) };
    }
    const { program } = options;
    if (!(program instanceof Uint8Array) && !(program instanceof URL) && typeof program !== "string") {
      throw new IdoineError("option_invalid", "createIdoineServer: `program` (bytes or an address) or `api` and `key` are needed");
    }
    let loading: Promise<Engine> | undefined;
    return {
      async decide(request, more) {
        loading ??= loadEngine(engine, program);
        try {
          // Where slots are in a page is nothing that a server shows.
          const { selectors: _, ...answer } = await (await loading).decide(rawRequest(visitorOf(request, more)));
          return decided(answer);
        } catch (cause) {
          // What is missing may be there for the next request, and after a second trap another engine may do.
          if (!(cause instanceof IdoineError && cause.code === "visitor_invalid")) loading = undefined;
          throw cause;
        }
      },
    };
  };

async function ask(address: URL, key: string, patience: number, visitor: object): Promise<Answer> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ visitors: [visitor] }),
      signal: AbortSignal.timeout(patience),
    });
    body = await response.text();
  } catch (cause) {
    throw new IdoineError("worker_unavailable", `${address.href}: ${cause}`, cause);
  }
  if (!response.ok) throw new IdoineError(response.status < 500 ? "worker_refused" : "worker_unavailable", `${address.href}: ${response.status} ${body.slice(0, 200)}`);
  const { version, results } = JSON.parse(body) as VisitorsDecided;
  const result = results[0]!;
  if ("error" in result) throw new IdoineError("visitor_invalid", `${(result as Failure).error.path ?? "visitor"}: ${(result as Failure).error.message}`);
  return { version, decisions: result.decisions, edits: result.edits, receipt: result.receipt };
}
