// Comparing the faces with the oracle; and making small what they do not agree about.

import { isDeepStrictEqual } from "node:util";
import { compile, Engine, explain, native, program, type Answer, type Explained } from "./faces.ts";
import { generate } from "./generate.ts";
import { LOSSES, type Decided, type Experience, type Outcome, type Site, type Visitor } from "./manifest.ts";
import { decide as oracle } from "./oracle.ts";

/** One visitor for whom something is not as the oracle says. */
export interface Disagreement {
  site: Site;
  visitor: Visitor;
  /** What each says. */
  said: Record<string, unknown>;
}

type Oracle = typeof oracle;

const words = ({ reason, by }: Outcome): string => (by === undefined ? reason : `${reason} by ${by}`);

/** What the oracle's decision means for each slot's candidates. */
function candidates({ manifest }: Site, { decisions, outcomes }: Decided): Record<string, Record<string, string>> {
  const reasons = (slot: string): Record<string, string> => {
    const isHere = decisions.some((decision) => decision.slot === slot);
    const named = manifest.experiences.filter(({ slots = {}, factors = {} }) => slot in slots || Object.values(factors).some((factor) => slot in factor.slots));
    // It may win with other slots while this one is not on the page.
    const why = (outcome: Outcome): string => (isHere || LOSSES.includes(outcome.reason) ? words(outcome) : "page");
    return Object.fromEntries(named.map(({ id }) => [id, why(outcomes[id]!)]));
  };
  return Object.fromEntries(Object.keys(manifest.slots).map((slot) => [slot, reasons(slot)]));
}

const byExperience = (explained: Explained[]): Record<string, string> => Object.fromEntries(explained.map((one) => [one.experience, words(one)]));

/** What is not the same, of what the oracle and the faces say of a visitor. */
function different(site: Site, decided: Decided, tools: ReturnType<typeof explain>, others: Record<string, Answer>): Record<string, unknown> | undefined {
  const said: Record<string, unknown> = {};
  for (const [face, { decisions, edits }] of Object.entries({ tools, ...others })) {
    if (!isDeepStrictEqual(decisions, decided.decisions)) Object.assign(said, { oracle: decided.decisions, [face]: decisions });
    if (!isDeepStrictEqual(edits, tools.edits)) Object.assign(said, { "tools' edits": tools.edits, [`${face}'s edits`]: edits });
  }
  const compare = (what: string, expected: Record<string, string>, found: Explained[] | undefined): void => {
    const outcomes = found && byExperience(found);
    if (!isDeepStrictEqual(outcomes, expected)) Object.assign(said, { [`oracle on ${what}`]: expected, [`tools on ${what}`]: outcomes });
  };
  for (const [slot, expected] of Object.entries(candidates(site, decided))) compare(slot, expected, tools.slots.find((one) => one.slot === slot)?.candidates);
  const all = Object.fromEntries(Object.entries(decided.outcomes).map(([id, outcome]) => [id, words(outcome)]));
  if (tools.experiences) compare("all experiences", all, tools.experiences);
  return Object.keys(said).length > 0 ? said : undefined;
}

/** Asks every face about visitors of a site, and tells of the first for whom they do not say what the oracle says. */
export async function disagreement(site: Site, visitors: readonly Visitor[], decide: Oracle = oracle, see: (decided: Decided) => void = () => {}): Promise<Disagreement | undefined> {
  const bytes = program(site.manifest);
  const natively = native(site.manifest, visitors);
  natively.catch(() => {}); // It is awaited below, where nothing else failed before.
  const engine = new Engine(bytes);
  const answers: { decided: Decided; engine: Answer; tools: ReturnType<typeof explain> }[] = [];
  // While the command line decides in a process of its own.
  for (const visitor of visitors) {
    try {
      answers.push({ decided: decide(site, visitor), engine: engine.decide(visitor), tools: explain(bytes, visitor) });
    } catch (error) {
      return { site, visitor, said: { threw: String(error) } };
    }
  }
  const lines = await natively;
  for (const [index, { decided, engine, tools }] of answers.entries()) {
    see(decided);
    const said = different(site, decided, tools, { native: lines[index]!, engine });
    if (said) return { site, visitor: visitors[index]!, said };
  }
  return undefined;
}

/** As `disagreement`, without the command line and of a site that may be none: for the many tries of `shrink`. */
function disagree(site: Site, visitor: Visitor, decide: Oracle): Record<string, unknown> | undefined {
  const bytes = compile(site.manifest);
  if (!(bytes instanceof Uint8Array)) return undefined;
  const engine = new Engine(bytes);
  return different(site, decide(site, visitor), explain(bytes, visitor), { engine: engine.decide(visitor) });
}

/** The manifest without one thing, in every way. */
function* smallerSites({ manifest, expressions }: Site): Generator<Site> {
  const withManifest = (changed: Partial<Site["manifest"]>): Site => ({ manifest: { ...manifest, ...changed }, expressions });
  const { experiences } = manifest;
  for (const gone of experiences) yield withManifest({ experiences: experiences.filter((one) => one !== gone) });
  if (manifest.site.timezone !== undefined) yield withManifest({ site: { id: manifest.site.id } });
  for (const field of ["holdout", "cap"] as const) {
    const { [field]: gone, ...rest } = manifest;
    if (gone !== undefined) yield { manifest: rest, expressions };
  }
  for (const field of ["traits", "audiences", "layers", "groups", "slots"] as const) {
    for (const name of Object.keys(manifest[field])) yield withManifest({ [field]: Object.fromEntries(Object.entries(manifest[field]).filter(([key]) => key !== name)) });
  }
  for (const [index, experience] of experiences.entries()) {
    const changed = (other: Experience): Site => withManifest({ experiences: experiences.with(index, other) });
    for (const field of Object.keys(experience).filter((name) => !["id", "type"].includes(name))) {
      yield changed(Object.fromEntries(Object.entries(experience).filter(([name]) => name !== field)) as unknown as Experience);
    }
    for (const field of ["slots", "factors"] as const) {
      const names = Object.keys(experience[field] ?? {});
      for (const name of names.length > 1 ? names : []) yield changed({ ...experience, [field]: Object.fromEntries(Object.entries(experience[field]!).filter(([key]) => key !== name)) });
    }
    for (const field of ["requires", "groups", "suppresses", "pages"] as const) {
      const list: unknown[] = experience[field] ?? [];
      for (const item of list.length > 1 ? list : []) yield changed({ ...experience, [field]: list.filter((other) => other !== item) });
    }
  }
}

function* smallerVisitors(visitor: Visitor): Generator<Visitor> {
  for (const part of ["context", "profile"] as const) {
    for (const name of Object.keys(visitor[part])) yield { ...visitor, [part]: Object.fromEntries(Object.entries(visitor[part]).filter(([key]) => key !== name)) };
  }
}

/** Leaves out whatever can be left out while tools, engine and oracle still do not agree. */
export function shrink(found: Disagreement, decide: Oracle = oracle): Disagreement {
  let best = found;
  for (let again = true; again; ) {
    again = false;
    const tries = function* (): Generator<[Site, Visitor]> {
      for (const site of smallerSites(best.site)) yield [site, best.visitor];
      for (const visitor of smallerVisitors(best.visitor)) yield [best.site, visitor];
    };
    for (const [site, visitor] of tries()) {
      const said = attempt(() => disagree(site, visitor, decide));
      if (!said) continue;
      best = { site, visitor, said };
      again = true;
      break;
    }
  }
  return best;
}

/** The oracle need not know what is no manifest any more. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** A disagreement for people. */
export function told({ site, visitor, said }: Disagreement): string {
  const lines = Object.entries(said).map(([who, what]) => `${who}: ${JSON.stringify(what)}`);
  return `manifest: ${JSON.stringify(site.manifest)}\nvisitor: ${JSON.stringify(visitor)}\n${lines.join("\n")}`;
}

/** The first disagreement about the visitors of a seed, made small. */
export async function disagreementOf(seed: number, visitors: number, decide: Oracle = oracle, see?: (decided: Decided) => void): Promise<Disagreement | undefined> {
  const drawn = generate(seed, visitors);
  const found = await disagreement(drawn.site, drawn.visitors, decide, see);
  // After a trap no instance can be trusted with smaller ones.
  return found && ("threw" in found.said ? found : shrink(found, decide));
}
