/**
 * Why this page shows what it shows: the program and the visitor's context come from the Worker, the tools (Wasm) decide
 * once more and say why.
 *
 * The visitor's id is out of a script's reach (its cookie is HttpOnly). Wherever something is agreed to, a decision may
 * hang on an id, so there the Worker itself explains: the bar must never contradict the page.
 */
import { call } from "../remote.ts";
import type { Decision, Edit, Visitor } from "../types.ts";
import { zoneOffsets, type Offsets } from "../zone.ts";
import { readOverrides, withOverrides } from "./address.ts";
import type { Explained } from "./clauses.ts";
import type { Candidate } from "./words.ts";

/** What the tools say of one visit. */
export interface Explanation {
  readonly version: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly decisions: readonly Decision[];
  readonly slots: readonly { readonly slot: string; readonly candidates: readonly Candidate[] }[];
  /** Every experience, with what its step looked at. */
  readonly experiences: readonly Explained[];
  readonly edits: readonly Edit[];
  /** Overrides that were not understood, each with what was expected. */
  readonly ignored?: readonly (readonly [path: string, expected: string])[];
}

/** What `tools.js` exports, as far as it is used here. */
interface Tools {
  default(options: { module_or_path: string }): Promise<unknown>;
  describe(program: Uint8Array): { readonly selectors?: Readonly<Record<string, string>> };
  explain(program: Uint8Array, visitor: Visitor, offsets: Offsets): Explanation;
}

/** What `GET /_idoine/context` answers. */
interface Known {
  readonly version: string;
  /** The instant that decides, in milliseconds since 1970. */
  readonly now: number;
  readonly context: Readonly<Record<string, unknown>>;
}

/** An explanation, and where each slot is in the page. */
export interface Report {
  readonly explanation: Explanation;
  readonly selectors: ReadonlyMap<string, string>;
}

/** A person waits and can see that; a cold start is no reason to give up. */
const PATIENCE_MS = 20_000;

let tools: Promise<Tools> | undefined;
const programs = new Map<string, Promise<Uint8Array>>();

async function loadTools(): Promise<Tools> {
  const folder = new URL(".", import.meta.url);
  const module = (await import(new URL("tools.js", folder).href)) as Tools;
  await module.default({ module_or_path: new URL("tools.wasm", folder).href });
  return module;
}

async function loadProgram(version: string): Promise<Uint8Array> {
  const response = await fetch(new URL(`program?v=${version}`, import.meta.url));
  if (!response.ok) throw new Error(`program: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Remembers what has succeeded; what has failed is tried again next time. */
function programOf(version: string): Promise<Uint8Array> {
  const known = programs.get(version);
  if (known) return known;
  const fresh = loadProgram(version);
  programs.set(version, fresh);
  fresh.catch(() => programs.delete(version));
  return fresh;
}

/** Explains the page at `address`. Rejects when the Worker or the tools cannot be had. */
export async function explainPage(address: string): Promise<Report> {
  const page = `url=${encodeURIComponent(address)}&referrer=${encodeURIComponent(document.referrer)}`;
  tools ??= loadTools();
  tools.catch(() => (tools = undefined));
  const { version, now, context } = await call<Known>(undefined, `context?${page}`, undefined, PATIENCE_MS);
  const [{ describe, explain }, program] = await Promise.all([tools, programOf(version)]);
  let explanation: Explanation | undefined;
  if (Object.entries(context).some(([path, value]) => path.startsWith("consent.") && value === true)) {
    const question = { url: address, referrer: document.referrer };
    ({ explain: explanation } = await call<{ explain?: Explanation }>(undefined, "decide?explain", question, PATIENCE_MS));
    if (!explanation) throw new Error("The Worker decided without an explanation.");
  } else {
    const zone = context["geo.timezone"];
    const offsets = zoneOffsets(typeof zone === "string" ? zone : undefined, now);
    const url = withOverrides(address, new Map());
    // The overrides are in this context already. They are said again so that those not understood are named.
    const overrides = readOverrides(address);
    const decide = (): Explanation => explain(program, { url, now, context: { ...context, ...Object.fromEntries(overrides) } }, offsets);
    explanation = decide();
    const { ignored } = explanation;
    // An instant that is none would still hide the one that decided.
    if (ignored?.some(([path]) => path === "now") && overrides.delete("now")) explanation = { ...decide(), ignored };
  }
  const selectors = new Map(Object.entries(describe(program).selectors ?? {}));
  for (const { slot, selector } of explanation.edits) if (selector) selectors.set(slot, selector);
  return { explanation, selectors };
}
