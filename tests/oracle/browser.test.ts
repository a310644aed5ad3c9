// The program for browsers, of random manifests: it holds nothing of a draft, and decides as the manifest's own program does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Dice } from "../support/dice.ts";
import { browserProgram, Engine, explain, program } from "./faces.ts";
import { generate } from "./generate.ts";
import type { Content, Experience, Manifest, Visitor } from "./manifest.ts";

const SITES = 150;
const VISITORS = 30;

/** What every draft is called by, and shows. */
const SECRET = "-secret";

const secret = (content: Content): Content => JSON.parse(JSON.stringify(content).replace(/(hero|lead|banner|buy|side|data|whole|whole-sale)(-2)?-\d/g, `$&${SECRET}`)) as Content;

/** An experience's contents, each changed. */
function withContents(experience: Experience, change: (content: Content) => Content): Experience {
  const ofSlots = <T extends Content | Content[]>(slots: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(slots).map(([name, shown]) => [name, (Array.isArray(shown) ? shown.map(change) : change(shown)) as T]));
  return {
    ...experience,
    ...(experience.slots && { slots: ofSlots(experience.slots) }),
    ...(experience.factors && { factors: Object.fromEntries(Object.entries(experience.factors).map(([name, factor]) => [name, { ...factor, slots: ofSlots(factor.slots) }])) }),
  };
}

/** A site of which some experiences are drafts, with visitors to whom none of those is shown. */
function withDrafts(seed: number): { manifest: Manifest; visitors: Visitor[]; drafts: Set<string> } {
  const drawn = generate(2_000_000 + seed, VISITORS);
  const dice = new Dice(seed);
  // Ids keep their order with that at their end.
  const names = new Map(drawn.site.manifest.experiences.filter(() => dice.percent(30)).map(({ id }) => [id, id + SECRET]));
  const renamed = (id: string): string => names.get(id) ?? id;
  const experiences = drawn.site.manifest.experiences.map((experience): Experience => {
    const requires = experience.requires?.map((requirement) => ({ ...requirement, experience: renamed(requirement.experience) }));
    const called = { ...experience, id: renamed(experience.id), ...(requires && { requires }) };
    return called.id === experience.id ? called : withContents({ ...called, status: "draft" }, secret);
  });
  const drafts = new Set(experiences.filter(({ status }) => status === "draft").map(({ id }) => id));
  const stored = <T>(all: Record<string, T>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(all).flatMap(([path, value]) => {
        const [, kind, id] = /^(assignment|seen|variant)\.(.*)$/.exec(path) ?? [];
        if (kind === undefined) return [[path, value]];
        return kind === "variant" && drafts.has(renamed(id!)) ? [] : [[`${kind}.${renamed(id!)}`, value]];
      }),
    );
  const visitors = drawn.visitors.map((visitor) => ({ ...visitor, context: stored(visitor.context), profile: stored(visitor.profile) }));
  return { manifest: { ...drawn.site.manifest, experiences }, visitors, drafts };
}

/** The first visitor for whom the two programs do not decide the same. */
function different(one: Uint8Array, other: Uint8Array, visitors: Visitor[]): Visitor | undefined {
  const engines = [new Engine(one), new Engine(other)];
  return visitors.find((visitor) => {
    const [before, after] = engines.map((engine) => engine.decide(visitor));
    return !isDeepStrictEqual(before, after);
  });
}

test("the program for browsers decides as the whole one where no draft is forced, and holds nothing of a draft", (context) => {
  const counts = { visitors: 0, drafts: 0, "hold a prerequisite that is a draft": 0 };
  for (let seed = 1; seed <= SITES; seed++) {
    const { manifest, visitors, drafts } = withDrafts(seed);
    const [whole, browser] = [program(manifest), browserProgram(manifest)];
    const found = different(whole, browser, visitors);
    assert.equal(found, undefined, `seed ${seed}\n${JSON.stringify(manifest)}\n${JSON.stringify(found)}`);
    assert.ok(!Buffer.from(browser).includes(SECRET), `seed ${seed}`);
    if (manifest.experiences.some(({ id }) => id.endsWith(SECRET))) assert.ok(Buffer.from(whole).includes(SECRET));
    counts.visitors += visitors.length;
    counts.drafts += drafts.size;
    const lost = explain(whole, visitors[0]!).experiences!;
    counts["hold a prerequisite that is a draft"] += lost.filter(({ experience, reason, by }) => reason === "prerequisite" && drafts.has(by!) && !drafts.has(experience)).length;
  }
  context.diagnostic(Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(", "));
  assert.ok(counts.visitors >= 4000 && counts.drafts >= 200 && counts["hold a prerequisite that is a draft"] >= 10);
});

test("a program from which prerequisites are gone with the drafts would be noticed", () => {
  const noticed = Array.from({ length: SITES }, (_, index) => withDrafts(index + 1)).filter(({ manifest, visitors, drafts }) => {
    const experiences = manifest.experiences.filter(({ id }) => !drafts.has(id));
    const forgetful = experiences.map(({ requires, ...rest }): Experience => ({ ...rest, ...(requires && { requires: requires.filter((one) => !drafts.has(one.experience)) }) }));
    return different(program(manifest), program({ ...manifest, experiences: forgetful }), visitors) !== undefined;
  });
  assert.ok(noticed.length >= 5, `${noticed.length} sites`);
});
