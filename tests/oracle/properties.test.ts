// What must not change a decision, on random manifests and visitors, in the engine's Wasm. Each property is also asked of a decider
// that does not have it: a check that can't fail says nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Dice } from "../support/dice.ts";
import { FIELDS } from "./expressions.ts";
import { Engine, program, type Answer } from "./faces.ts";
import { generate, levelsOf, PURPOSES, type Case } from "./generate.ts";
import type { Experience, Manifest, Purpose, Site, Told, Visitor } from "./manifest.ts";
import { MISTAKES } from "./mistakes.ts";
import { decide as oracle } from "./oracle.ts";

type Decider = (site: Site, visitors: Visitor[]) => Answer[];

const engine: Decider = ({ manifest }, visitors) => {
  const one = new Engine(program(manifest));
  return visitors.map((visitor) => one.decide(visitor));
};

/** A decider that is wrong: the oracle, told of another manifest or visitor. */
const wrong = (change: (site: Site, visitor: Visitor) => { site?: Site; visitor?: Visitor }): Decider => (site, visitors) =>
  visitors.map((visitor) => {
    const changed = change(site, visitor);
    return { decisions: oracle(changed.site ?? site, changed.visitor ?? visitor).decisions, edits: [] };
  });

const withExperiences = ({ manifest, expressions }: Site, experiences: Experience[], more: Partial<Manifest> = {}): Site => ({ manifest: { ...manifest, ...more, experiences }, expressions });

/** What was checked, and the first case in which it did not hold. */
interface Checked {
  checks: number;
  failure?: string;
}

type Property = (decider: Decider, drawn: Case, dice: Dice) => Checked;

/** Whether both answers are the same, but for a slot that one alone has. */
function same(before: Answer[], after: Answer[], visitors: Visitor[], sites: [Site, Site], added?: string): Checked {
  const rest = ({ decisions, edits }: Answer): Answer => ({ decisions: decisions.filter(({ slot }) => slot !== added), edits: edits.filter(({ slot }) => slot !== added) });
  for (const [index, answer] of before.entries()) {
    if (isDeepStrictEqual(rest(after[index]!), answer)) continue;
    return { checks: index, failure: [visitors[index], ...sites.map(({ manifest }) => manifest), answer, after[index]].map((part) => JSON.stringify(part)).join("\n") };
  }
  return { checks: before.length };
}

const shuffling: Property = (decider, { site, visitors }, dice) => {
  const rest = [...site.manifest.experiences];
  const other = withExperiences(site, site.manifest.experiences.map(() => rest.splice(dice.below(rest.length), 1)[0]!));
  return same(decider(site, visitors), decider(other, visitors), visitors, [site, other]);
};

/** An experience that may be anything, in these slots. */
function newcomer(dice: Dice, { expressions, manifest }: Site, slots: string[]): Experience {
  const isExperiment = dice.percent(50);
  const content = (slot: string): Record<string, unknown> => {
    const { type } = manifest.slots[slot] ?? {};
    return type === "data" ? { json: 1 } : type === "page" ? { page: "/new" } : { text: "new" };
  };
  const texts = Object.keys(expressions);
  return {
    id: dice.of(["0-new", "m-new", "zz-new"]),
    type: isExperiment ? "experiment" : "personalization",
    priority: dice.of([-9, 0, 1, 9]),
    purpose: dice.of(PURPOSES),
    ...(texts.length > 0 && dice.percent(30) && { audience: dice.of(texts) }),
    ...(dice.percent(40) && { unit: dice.of(["user", "profile.account", "profile.number"]) }),
    ...(dice.percent(40) && { traffic: 0.5 }),
    ...(dice.percent(40) && { cap: { day: 1 + dice.below(2), cooldown_minutes: 30 } }),
    slots: Object.fromEntries(slots.map((slot) => [slot, isExperiment ? [{ baseline: true }, content(slot)] : content(slot)])),
  };
}

const ofNewcomer = (dice: Dice, { id }: Experience): Visitor["context"] => (dice.percent(20) ? { [`variant.${id}`]: "1" } : dice.percent(20) ? { [`seen.${id}`]: "1,1,1,1,2026-11-20T12:00:00Z" } : {});

const unrelated: Property = (decider, { site, visitors }, dice) => {
  const added: Experience = { ...newcomer(dice, site, ["unrelated"]), global_cap: false };
  const slots = { unrelated: { selector: "#unrelated" } };
  const other = withExperiences(site, [...site.manifest.experiences, added], { slots: dice.percent(50) ? { ...slots, ...site.manifest.slots } : { ...site.manifest.slots, ...slots } });
  const known = visitors.map((visitor) => ({ ...visitor, context: { ...visitor.context, ...ofNewcomer(dice, added) } }));
  return same(decider(site, visitors), decider(other, known), visitors, [site, other], "unrelated");
};

const elsewhere: Property = (decider, { site, visitors }, dice) => {
  const { slots, groups, experiences } = site.manifest;
  const shared = Object.keys(slots).filter(() => dice.percent(60));
  const plain = newcomer(dice, site, shared.length > 0 ? shared : Object.keys(slots));
  // A member of groups comes after what suppresses them, and what suppresses them before all members.
  const related: Partial<Experience> = dice.percent(50) ? { priority: -9, id: "zz-new", groups: Object.keys(groups) } : { priority: 9, suppresses: Object.keys(groups) };
  const required = experiences.filter(() => dice.percent(10)).map(({ id }) => ({ experience: id }));
  const added: Experience = { ...plain, ...(Object.keys(groups).length > 0 && related), ...(required.length > 0 && { requires: required }), pages: ["/elsewhere", "/elsewhere/*"] };
  const other = withExperiences(site, [...experiences, added]);
  const known = visitors.map((visitor) => ({ ...visitor, context: { ...visitor.context, ...ofNewcomer(dice, added) } }));
  return same(decider(site, visitors), decider(other, known), visitors, [site, other]);
};

const denied: Property = (decider, { site: drawn, visitors }, dice) => {
  // Few purposes, so that what all experiences would read is often denied too.
  const purposes = [dice.of(PURPOSES), dice.of(PURPOSES)];
  const site = withExperiences(drawn, drawn.manifest.experiences.map((experience) => ({ ...experience, purpose: dice.of(purposes) })));
  const others = visitors.map((visitor) => flipped(site, visitor, dice));
  return same(decider(site, visitors), decider(site, others), visitors, [site, site]);
};

/** The visitor with other values wherever the purpose is denied. */
function flipped({ manifest }: Site, visitor: Visitor, dice: Dice): Visitor {
  const refused = (purpose: Purpose = "personalization"): boolean => visitor.context[`consent.${purpose}`] !== true;
  const nobody = (experiences: Experience[]): boolean => experiences.every(({ purpose }) => refused(purpose));
  const all = manifest.experiences;
  const paths = new Map<string, Told[]>();
  for (const { path, values } of FIELDS) {
    const purpose = path === "visitor.returning" ? "personalization" : manifest.traits[path.replace("profile.", "")]?.purpose;
    if (purpose !== undefined && refused(purpose)) paths.set(path, [null, ...values]);
  }
  const counts = ["9,9,9,9,2026-11-20T12:00:00Z", "0,0,0,0,2026-11-19T00:00:00Z", "x", null];
  for (const experience of all) {
    if (!refused(experience.purpose)) continue;
    paths.set(`assignment.${experience.id}`, [levelsOf(experience).map(([, levels]) => dice.below(levels)).join(","), "x", null]);
    paths.set(`seen.${experience.id}`, counts);
  }
  for (const group of Object.keys(manifest.groups)) if (nobody(all.filter(({ groups }) => groups?.includes(group)))) paths.set(`seen_group.${group}`, counts);
  if (nobody(all.filter(({ global_cap }) => global_cap !== false))) paths.set("seen_site", counts);
  if (nobody(all)) paths.set("visitor.user_id", ["user-7", "somebody else", null]).set("visitor.session_start", ["2026-11-20T00:00:00Z", null]);
  if (nobody(all) && refused("personalization")) paths.set("visitor.id", ["visitor-7", "somebody-else", null]);
  const other: Visitor = { ...visitor, context: { ...visitor.context }, profile: { ...visitor.profile } };
  for (const [path, values] of paths) {
    const value = dice.of(values);
    delete other.profile[path];
    // What an experience reads beside fields may be told by the profile too.
    if (typeof value === "string" && path !== "visitor.id" && !path.startsWith("profile.") && dice.percent(50)) {
      delete other.context[path];
      other.profile[path] = value;
    } else other.context[path] = value;
  }
  return other;
}

const raising: Property = (decider, { site: drawn, visitors: all }, dice) => {
  const { experiences } = drawn.manifest;
  const split = experiences.filter(({ type, winner }) => type === "experiment" && winner === undefined);
  if (split.length === 0) return { checks: 0 };
  const one = dice.of(split);
  // Few of the others' reasons to lose, so that many visitors get as far as its traffic.
  const { audience, requires, status, schedule, pages, groups, sticky, ...plain } = one;
  const less: Experience = { ...plain, priority: 99, traffic: dice.percent(60) ? (one.traffic ?? 0.5) : 0.4 };
  const agreed = Object.fromEntries(PURPOSES.map((purpose) => [`consent.${purpose}`, true]));
  const visitors = all.map((visitor) => ({ ...visitor, context: { ...visitor.context, ...agreed } }));
  const [added, kept] = dice.of([[0.1, 0.9], [0.5, 0.5], [1, 0]] as const);
  const raised = (share: number): number => Math.min(1, share * kept + added);
  const traffic = typeof less.traffic === "number" ? raised(less.traffic) : { ...less.traffic!, points: less.traffic!.points.map(({ at, share }) => ({ at, share: raised(share) })) };
  const sites = [less, { ...less, traffic }].map((changed) => withExperiences(drawn, experiences.map((other) => (other === one ? changed : other)))) as [Site, Site];
  const [before, after] = sites.map((site) => decider(site, visitors)) as [Answer[], Answer[]];
  // Whoever was inside stays inside and sees the same; who comes in may see anything.
  const inside = visitors.flatMap((_, index) => (before[index]!.decisions.some(({ experience, reason }) => experience === one.id && reason === "split") ? [index] : []));
  const at = <T>(list: T[]): T[] => inside.map((index) => list[index]!);
  return same(at(before), at(after), at(visitors), sites);
};

/** Asks for a property of the sites of some seeds. */
function check(property: Property, decider: Decider, sites: number, visitors: number): Checked {
  let checks = 0;
  for (let seed = 1; seed <= sites; seed++) {
    const checked = property(decider, generate(1_000_000 + seed, visitors), new Dice(seed));
    checks += checked.checks;
    if (checked.failure !== undefined) return { checks, failure: `seed ${seed}\n${checked.failure}` };
  }
  return { checks };
}

const PROPERTIES: { name: string; property: Property; sites: number; least: number; without: Decider }[] = [
  {
    name: "the order in which experiences are written changes nothing",
    property: shuffling,
    sites: 150,
    least: 3000,
    // What is written first comes first.
    without: wrong((site) => ({ site: withExperiences(site, site.manifest.experiences.map((one, index) => ({ ...one, priority: -index }))) })),
  },
  { name: "an experience that shares nothing with others changes nothing for them", property: unrelated, sites: 150, least: 3000, without: wrong(MISTAKES["the cap of the site for all"]!) },
  { name: "what the visitor denied changes nothing, whatever it is", property: denied, sites: 150, least: 3000, without: wrong(MISTAKES["everything is agreed to"]!) },
  { name: "an experience for other pages changes nothing here", property: elsewhere, sites: 150, least: 3000, without: wrong(MISTAKES["pages do not matter"]!) },
  {
    name: "more traffic moves nobody to another variant",
    property: raising,
    sites: 600,
    least: 2000,
    // The more traffic, the heavier the first variant.
    without: wrong((site) => ({
      site: withExperiences(site, site.manifest.experiences.map((one) => (one.weights && !one.runs && typeof one.traffic === "number" ? { ...one, weights: one.weights.with(0, Math.round(one.traffic * 9)) } : one))),
    })),
  },
];

for (const { name, property, sites, least, without } of PROPERTIES) {
  test(name, (context) => {
    const { checks, failure } = check(property, engine, sites, 30);
    assert.equal(failure, undefined);
    context.diagnostic(`${checks} checks`);
    assert.ok(checks >= least, `${checks} checks`);
    // It holds for the oracle as well, so that it is the mistake alone that breaks it.
    assert.equal(check(property, wrong(() => ({})), 30, 20).failure, undefined);
    assert.ok(check(property, without, sites, 30).failure, "a decider without the property passes");
  });
}
