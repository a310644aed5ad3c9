/** Where the panel has its answers from: the Worker of this site, or, for a site of static files on this machine, the page itself. */
import type { ConsentStatus, Decision, Edit, Purpose } from "../types.ts";
import type { Offsets } from "../zone.ts";
import type { Overrides } from "./address.ts";
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

/** An explanation, where each slot is in the page, and when it was made. */
export interface Report {
  readonly explanation: Explanation;
  readonly selectors: ReadonlyMap<string, string>;
  /** The instant that decided, in epoch milliseconds. */
  readonly now: number;
  /** When time alone changes what is decided; `undefined` where nobody says that it does. */
  readonly until: number | undefined;
}

/** Saved visitors: what each overrides. */
export type Personas = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What is stored of the visitor, as far as they are told it. */
export interface Stored {
  /** Whether a user is logged in by a token. */
  readonly verified: boolean;
  /** Paths and texts, as a visitor's `profile` has them. */
  readonly profile: Readonly<Record<string, string>>;
}

export interface Source {
  /** Why the page at this address shows what it shows. Rejects when it can't be told. */
  explain(address: string): Promise<Report>;
  personas(): Promise<Personas>;
  consent(): Promise<ConsentStatus>;
  /** Records a choice of purposes. */
  choose(granted: readonly Purpose[]): Promise<unknown>;
  /** What is stored of the visitor; missing where pages are decided without a profile. */
  profile?(overrides: Overrides): Promise<Stored>;
  /** All that is held of the visitor, as it is exported to them. */
  held?(): Promise<Readonly<Record<string, unknown>>>;
}

/** What `tools.js` exports, as far as it is used here. */
export interface Tools {
  default(options: { module_or_path: string }): Promise<unknown>;
  describe(program: Uint8Array): { readonly selectors?: Readonly<Record<string, string>>; readonly personas?: Personas };
  explain(program: Uint8Array, visitor: object, offsets: Offsets): Explanation;
}

/** The tools of a folder, by default of this file's. */
export async function loadTools(folder: string | URL = new URL(".", import.meta.url)): Promise<Tools> {
  const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ new URL("tools.js", folder).href)) as Tools;
  await module.default({ module_or_path: new URL("tools.wasm", folder).href });
  return module;
}

export async function download(address: string | URL): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`program: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Where the slots of a program are in the page. */
export function selectorsOf(described: ReturnType<Tools["describe"]>, edits: readonly Edit[]): Map<string, string> {
  const selectors = new Map(Object.entries(described.selectors ?? {}));
  for (const { slot, selector } of edits) if (selector) selectors.set(slot, selector);
  return selectors;
}
