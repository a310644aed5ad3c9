/**
 * What the Worker of this site says: the program and the visitor's context come from it, the tools (Wasm) decide once more and say why.
 *
 * The visitor's id is out of a script's reach (its cookie is HttpOnly). Wherever something is agreed to, a decision may
 * hang on an id, so there the Worker itself explains: the bar must never contradict the page.
 */
import { call } from "../remote.ts";
import type { Answer, ConsentStatus } from "../types.ts";
import { zoneOffsets } from "../zone.ts";
import { readOverrides, withOverrides } from "./address.ts";
import { download, loadTools, selectorsOf, type Explanation, type Personas, type Report, type Source, type Stored, type Tools } from "./source.ts";

/** What `GET /_idoine/context` answers. */
interface Known {
  readonly version: string;
  /** The instant that decides, in milliseconds since 1970. */
  readonly now: number;
  readonly context: Readonly<Record<string, unknown>>;
}

/** A person waits and can see that; a cold start is no reason to give up. */
const PATIENCE_MS = 20_000;

let tools: Promise<Tools> | undefined;
const programs = new Map<string, Promise<Uint8Array>>();

/** Remembers what has succeeded; what has failed is tried again next time. */
function programOf(version: string): Promise<Uint8Array> {
  const known = programs.get(version);
  if (known) return known;
  const fresh = download(new URL(`program?v=${version}`, import.meta.url));
  programs.set(version, fresh);
  fresh.catch(() => programs.delete(version));
  return fresh;
}

/** Explains the page at `address`. Rejects when the Worker or the tools cannot be had. */
async function explain(address: string): Promise<Report> {
  const page = `url=${encodeURIComponent(address)}&referrer=${encodeURIComponent(document.referrer)}`;
  tools ??= loadTools();
  tools.catch(() => (tools = undefined));
  const { version, now, context } = await call<Known>(undefined, `context?${page}`, undefined, PATIENCE_MS);
  const isAgreed = Object.entries(context).some(([path, value]) => path.startsWith("consent.") && value === true);
  const decided = call<Answer & { explain?: Explanation }>(
    undefined,
    isAgreed ? "decide?explain" : "decide",
    { url: address, referrer: document.referrer },
    PATIENCE_MS,
  );
  // Until it is waited for it may fail unheard.
  decided.catch(() => undefined);
  const [{ describe, explain }, program] = await Promise.all([tools, programOf(version)]);
  let explanation: Explanation | undefined;
  let until: number | undefined;
  if (isAgreed) {
    const answer = await decided;
    explanation = answer.explain;
    until = answer.until;
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
    // Without it all else can be told.
    until = await decided.then((answer) => answer.until, () => undefined);
  }
  return { explanation, selectors: selectorsOf(describe(program), explanation.edits), now, until };
}

/** The Worker in front of this site. */
export const worker: Source = {
  explain,
  personas: () => call<Personas>(undefined, "personas"),
  consent: () => call<ConsentStatus>(undefined, "consent"),
  choose: (granted) => call<ConsentStatus>(undefined, "consent", { granted }),
  // As whom and when the page was asked for, so that it is what took part in it.
  profile: (overrides) => call<Stored>(undefined, `profile${new URL(withOverrides(location.origin, overrides)).search}`),
  held: () => call<Record<string, unknown>>(undefined, "export", { exported: false }, PATIENCE_MS),
};
