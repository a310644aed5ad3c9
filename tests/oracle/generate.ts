// Random manifests and visitors, from a seed: everything that a decision depends on, most of it near where it matters.

import { Dice } from "../support/dice.ts";
import { expression, FIELDS, TRAITS, written } from "./expressions.ts";
import { instant } from "./oracle.ts";
import type { Cap, Content, Experience, Expr, Factor, Manifest, Purpose, Ramp, Requirement, Site, Visitor } from "./manifest.ts";

/** A site and some of its visitors. */
export interface Case {
  site: Site;
  visitors: Visitor[];
}

/** The middles of the time in which all of it happens: a Friday, and the Sunday on which the clocks of New York go back. */
const NOONS = ["2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z", "2026-11-01T12:00:00Z"].map((text) => Date.parse(text));
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const PURPOSES: readonly Purpose[] = ["personalization", "analytics", "marketing"];
const PATHS = ["/", "/", "/sale", "/collections/shoes", "/collections/bags", "/landing"];
const GLOBS = ["/", "/", "*", "/collections/*", "/collections/shoes", "/sale", "/*s*", "/landing"];
const IDS = ["alpha", "Beta", "c-1", "c_1", "c1", "delta", "x10", "x2", "Zeta", "a", "b", "B", "hero", "z-last", "same-as-before"];
const ZONES = ["Pacific/Auckland", "America/New_York", "Europe/Paris", "Asia/Kolkata"];
const UNITS = ["visitor", "user", "user", "profile.account", "profile.number"];
/** Experiences of a site. */
const MOST = 14;
const ELEMENTS = ["hero", "lead", "banner", "buy", "side"];

/** Some of a list, in its order. */
const some = <T>(dice: Dice, list: readonly T[], share: number): T[] => list.filter(() => dice.percent(share));
const shuffled = <T>(dice: Dice, list: readonly T[]): T[] => {
  const rest = [...list];
  return list.map(() => rest.splice(dice.below(rest.length), 1)[0]!);
};
const share = (dice: Dice): number => dice.of([0, 0.1, 0.25, 0.3, 0.5, 0.5, 0.75, 0.9, 1, 0.123456, 0.000001]);
const date = (ms: number): string => new Date(ms).toISOString();
/** Around noon: often the same few instants, so that things meet. */
const around = (dice: Dice, noon: number): number => noon + (dice.percent(60) ? dice.of([-7, -2, -1, 0, 1, 3]) * DAY : (dice.below(20_000) - 10_000) * MINUTE);
/** As manifests may say it: with an offset, or as a local date or time. */
const moment = (ms: number, length: number): string => date(ms).slice(0, length);
/** A time of day that comes twice in New York. */
const TWICE = "2026-11-01T01:30";
const LENGTHS = [24, 24, 10, 16];

function cap(dice: Dice): Cap {
  const found: Cap = {
    ...(dice.percent(40) && { session: 1 + dice.below(3) }),
    ...(dice.percent(40) && { day: 1 + dice.below(4) }),
    ...(dice.percent(40) && { week: 2 + dice.below(5) }),
    ...(dice.percent(30) && { total: 1 + dice.below(9) }),
    ...(dice.percent(40) && { cooldown_minutes: dice.of([1, 30, 60, 24 * 60, 3 * 24 * 60]) }),
  };
  return Object.keys(found).length > 0 ? found : { day: 2 };
}

function ramp(dice: Dice, noon: number): Ramp {
  const points = [...new Set(Array.from({ length: 1 + dice.below(4) }, () => dice.below(12) - 8))].sort((a, b) => a - b);
  const shares = points.map(() => share(dice));
  if (dice.percent(70)) shares.sort((a, b) => a - b);
  // All written alike, so that they stay in order.
  const length = dice.of(LENGTHS);
  return { ramp: dice.percent(50) ? "steps" : "linear", points: points.map((day, index) => ({ at: moment(noon + day * DAY, length), share: shares[index]! })) };
}

function content(dice: Dice, slot: Manifest["slots"][string], words: string, needs: boolean): Content {
  const fields = ["geo.country", "network.asn", "profile.segment", "profile.score", "profile.plan"];
  if (slot.type === "data") return { json: { words, in: needs ? "{{ geo.country }}" : '{{ geo.country | "-" }}' } };
  if (slot.type === "page") return dice.percent(50) ? { page: `/other-${words}` } : { redirect: needs ? "/new/{{ geo.country }}" : `/new/${words}` };
  const value = needs ? `{{ ${dice.of(fields)} }}` : dice.percent(30) ? `{{ ${dice.of(fields)} | "none" }}` : "plain";
  return dice.percent(70) ? { text: `${words}: ${value}` } : { attribute: { title: `${words}: ${value}` } };
}

/** What an experience shows in its slots: a content, or the variants of one factor or of several. */
function shown(dice: Dice, slots: Manifest["slots"], isExperiment: boolean): Pick<Experience, "slots" | "factors" | "runs" | "weights" | "winner"> {
  const names = shuffled(dice, Object.keys(slots)).slice(0, 1 + dice.below(4));
  const needs = dice.percent(25);
  const one = (slot: string, level: number): Content => content(dice, slots[slot]!, `${slot}-${level}`, needs && dice.percent(50));
  if (!isExperiment) return { slots: Object.fromEntries(names.map((slot) => [slot, one(slot, 1)])) };
  const variants = (slot: string, levels: number): Content[] => [{ baseline: true }, ...Array.from({ length: levels - 1 }, (_, index) => one(slot, index + 1))];
  const weights = (levels: number): number[] => {
    const found = Array.from({ length: levels }, () => dice.of([0, 1, 1, 2, 1000]));
    return found.some((weight) => weight > 0) ? found : [...found.slice(1), 3];
  };
  if (names.length < 2 || dice.percent(35)) {
    const levels = 2 + dice.below(3);
    return {
      slots: Object.fromEntries(names.map((slot) => [slot, variants(slot, levels)])),
      ...(dice.percent(50) && { weights: weights(levels) }),
      ...(dice.percent(15) && { winner: dice.below(levels) }),
    };
  }
  const isFraction = dice.percent(40);
  const count = names.length === 2 ? 2 : 2 + dice.below(2);
  const factors: Record<string, Factor> = {};
  const levels: number[] = [];
  for (let index = 0; index < count; index++) {
    levels.push(2 + dice.below(2));
    const own = index === count - 1 ? names.slice(index) : names.slice(index, index + 1);
    factors[["title", "button", "a-third"][index]!] = {
      ...(!isFraction && dice.percent(40) && { weights: weights(levels[index]!) }),
      slots: Object.fromEntries(own.map((slot) => [slot, variants(slot, levels[index]!)])),
    };
  }
  const all = levels.reduce<number[][]>((runs, count) => runs.flatMap((run) => Array.from({ length: count }, (_, level) => [...run, level])), [[]]);
  const runs = shuffled(dice, all).slice(0, 2 + dice.below(3));
  const winner = dice.percent(15) ? { winner: isFraction ? dice.of(runs) : levels.map((count) => dice.below(count)) } : {};
  return { factors, ...winner, ...(isFraction && { runs, ...(dice.percent(50) && { weights: weights(runs.length) }) }) };
}

/** The numbers of levels of an experience's factors, by the factors' names. */
export function levelsOf({ factors, slots = {} }: Experience): [factor: string | undefined, levels: number][] {
  const count = (list: Content | Content[] | undefined): number => (Array.isArray(list) ? list.length : 2);
  if (factors) return Object.entries(factors).map(([name, factor]) => [name, count(Object.values(factor.slots)[0])]);
  return [[undefined, count(Object.values(slots)[0])]];
}

function requirement(dice: Dice, other: Experience): Requirement {
  const [factor, levels] = dice.of(levelsOf(other));
  const isPersonalization = other.type === "personalization";
  const variants = isPersonalization ? [1] : some(dice, Array.from({ length: levels }, (_, level) => level), 60);
  const named = factor !== undefined && dice.percent(80);
  return { experience: other.id, ...(named && { factor }), ...(variants.length > 0 && (named || factor === undefined) && dice.percent(75) && { variants }) };
}

/** Which instants matter to a manifest. */
function turns({ site, experiences }: Manifest): number[] {
  const texts = experiences.flatMap(({ schedule, traffic }) => [schedule?.from, schedule?.until, ...(typeof traffic === "object" ? traffic.points.map(({ at }) => at) : [])]);
  return texts.filter((text) => text !== undefined).map((text) => instant(text, site.timezone));
}

/** A site, around a noon. */
function site(dice: Dice, noon: number): Site {
  const expressions: Record<string, Expr> = {};
  const write = (expr: Expr): string => {
    expressions[written(expr)] = expr;
    return written(expr);
  };
  const names = dice.percent(60) ? some(dice, ["vip", "local", "loyal"], 60) : [];
  const audiences: Record<string, string> = {};
  for (const [index, name] of names.entries()) audiences[name] = write(expression(dice, 2, names.slice(0, index)));

  const slots: Manifest["slots"] = {};
  for (const name of shuffled(dice, ["data", "whole", "whole-sale", ...ELEMENTS, ...ELEMENTS.map((element) => `${element}-2`)]).slice(0, 1 + dice.below(6))) {
    const pages = { pages: some(dice, GLOBS, 30) };
    if (name.startsWith("whole")) slots[name] = { type: "page", pages: [name === "whole" ? "/" : "/sale"] };
    else slots[name] = { ...(name === "data" ? { type: "data" } : { selector: `#${name}` }), ...(pages.pages.length > 0 && dice.percent(50) && pages) };
  }
  const layers: Manifest["layers"] = {};
  for (const name of some(dice, ["checkout", "search-1"], 60)) layers[name] = dice.percent(50) ? { unit: dice.of(UNITS) } : {};
  const groups: Manifest["groups"] = {};
  for (const name of some(dice, ["promotions", "popups", "up_sell"], 60)) groups[name] = { ...(dice.percent(60) && { max: 1 + dice.below(3) }), ...(dice.percent(35) && { cap: cap(dice) }) };

  // Where the next share of each layer begins.
  const used = Object.fromEntries(Object.keys(layers).map((name) => [name, 0]));
  const experiences: Experience[] = [];
  const ids = shuffled(dice, IDS).slice(0, dice.below(MOST + 1));
  const drafts = ids.map((id) => ({ id, ...(dice.percent(70) && { priority: dice.below(5) - 1 }), groups: shuffled(dice, some(dice, Object.keys(groups), 45)) }));
  const before = (a: { id: string; priority?: number }, b: { id: string; priority?: number }): boolean => (a.priority ?? 0) > (b.priority ?? 0) || ((a.priority ?? 0) === (b.priority ?? 0) && a.id < b.id);
  for (const { groups: own, ...draft } of drafts) {
    const open = Object.keys(groups).filter((group) => drafts.every((other) => !other.groups.includes(group) || before(draft, other)));
    const suppresses = dice.percent(50) ? some(dice, open, 60) : [];
    const layer = dice.percent(25) ? Object.keys(layers).find((name) => used[name]! < 1) : undefined;
    const slice = layer === undefined ? undefined : { name: layer, from: used[layer]!, to: Math.min(1, used[layer]! + dice.of([0.25, 0.5, 0.5, 1])) };
    if (slice) used[slice.name] = slice.to;
    const unit = layer === undefined ? (dice.percent(50) ? dice.of(UNITS) : undefined) : layers[layer]!.unit;
    const isSlotless = suppresses.length > 0 && dice.percent(30);
    const isExperiment = !isSlotless && dice.percent(60);
    const [from, until] = [around(dice, noon), around(dice, noon)].sort((a, b) => a - b) as [number, number];
    const schedule = { ...(dice.percent(60) && { from: noon !== NOONS[0] && dice.percent(30) ? TWICE : moment(from - DAY, dice.of(LENGTHS)) }), ...(dice.percent(60) && { until: moment(Math.max(until, noon + DAY) + DAY, dice.of(LENGTHS)) }) };
    const audience = dice.percent(55) ? write(names.length > 0 && dice.percent(25) ? { op: "audience", name: dice.of(names) } : expression(dice, 2, names)) : undefined;
    // Those with factors more often, as they are few.
    const others = [...(dice.percent(50) ? shuffled(dice, experiences).filter(({ factors }) => factors) : []), ...shuffled(dice, experiences)];
    const requires = dice.percent(30) ? [...new Set(others)].slice(0, 1 + dice.below(2)) : [];
    experiences.push({
      ...draft,
      type: isExperiment ? "experiment" : "personalization",
      ...(dice.percent(8) && { status: dice.of(["draft", "paused", "running"] as const) }),
      ...(dice.percent(45) && { purpose: dice.of(PURPOSES) }),
      ...(dice.percent(20) && { pages: [dice.of(GLOBS), dice.of(GLOBS)] }),
      ...(dice.percent(20) && { schedule }),
      ...(audience !== undefined && { audience }),
      ...(requires.length > 0 && { requires: requires.map((other) => requirement(dice, other)) }),
      ...(unit !== undefined && { unit }),
      ...(dice.percent(15) && { holdout: dice.of([0, 0.05, 0.2, 0.3, 0.45]) }),
      ...(slice && { layer: slice }),
      ...(dice.percent(50) && { traffic: dice.percent(50) ? share(dice) : ramp(dice, noon) }),
      ...(isExperiment && dice.percent(35) && { sticky: dice.percent(90) }),
      ...(own.length > 0 && { groups: own }),
      ...(suppresses.length > 0 && { suppresses }),
      ...(dice.percent(30) && { cap: cap(dice) }),
      ...(dice.percent(30) && { global_cap: dice.percent(20) }),
      ...(isSlotless ? {} : shown(dice, slots, isExperiment)),
    });
  }
  const manifest: Manifest = {
    site: { id: dice.of(["shop", "site-2"]), ...(dice.percent(50) && { timezone: dice.of(ZONES) }) },
    ...(dice.percent(30) && { holdout: dice.of([0, 0.05, 0.1, 0.3]) }),
    ...(dice.percent(35) && { cap: cap(dice) }),
    traits: TRAITS,
    audiences,
    layers,
    groups,
    slots,
    // Not in the order of arbitration.
    experiences: shuffled(dice, experiences),
  };
  return { manifest, expressions };
}

/** The instant of the visitor's last midnight, and of the last start of a week, near enough for what is asked here. */
const midnight = (ms: number, ahead: number): number => Math.floor((ms + ahead) / DAY) * DAY - ahead;

/** `session,day,week,total,last`, near the limits of a cap. */
function seen(dice: Dice, limits: Cap, now: number, sessionStart: number): string {
  if (dice.percent(5)) return dice.of(["", "1,2,3", "x", "1,1,1,1,yesterday", "-1,0,0,0,2026-11-20T12:00:00Z", "1,1,1,1,"]);
  const count = (limit: number | undefined): number => (limit === undefined ? dice.below(4) : Math.max(0, limit + dice.of([-2, -1, -1, -1, 0, 0, 1])));
  const cooldown = (limits.cooldown_minutes ?? 60) * MINUTE;
  const ahead = dice.of([0, 13 * HOUR, -5 * HOUR, HOUR, 5.5 * HOUR]);
  const monday = midnight(now, ahead) - ((new Date(midnight(now, ahead) + ahead).getUTCDay() + 6) % 7) * DAY;
  const last = dice.of([now - cooldown, now - cooldown, sessionStart, midnight(now, ahead), monday, now - dice.below(10 * 24 * 60) * MINUTE, now - dice.below(90) * MINUTE, now, now + HOUR]) + dice.of([0, 0, 0, -1, 1, -5 * SECOND]);
  return [count(limits.session), count(limits.day), count(limits.week), count(limits.total), date(last)].join(",");
}

/** A level for each factor of an experience. */
const assignment = (dice: Dice, experience: Experience): string =>
  dice.percent(12) ? dice.of(["9", "x", "-1", "", "1.5", "0,0,0,0,0", "1,"]) : levelsOf(experience).map(([, levels]) => dice.below(levels)).join(",");

const userId = (dice: Dice): string => dice.of(["user-1", "1", "zoë@example.org", "日本太郎", "🦊🦊", "é".repeat(128), "x".repeat(129), ...Array.from({ length: 9 }, () => `user-${dice.below(1000)}`)]);

/** A visitor of a site. */
function visitor(dice: Dice, { manifest }: Site, noon: number): Visitor {
  const { experiences, groups } = manifest;
  const points = turns(manifest);
  const now = points.length > 0 && dice.percent(40) ? dice.of(points) + dice.of([0, 0, -1, 1, -SECOND, 999, HOUR, -HOUR]) : noon + (dice.below(4000) - 2000) * MINUTE + dice.below(1000);
  const sessionStart = now - dice.below(120) * MINUTE;
  const all = dice.percent(55);
  const context: Visitor["context"] = Object.fromEntries(PURPOSES.map((purpose) => [`consent.${purpose}`, all || dice.percent(50)]));
  for (const { path, values } of FIELDS) if (values.length > 0) context[path] = dice.percent(75) ? dice.of(values) : null;
  // Without a value it follows from the id.
  if (context["visitor.returning"] === null) delete context["visitor.returning"];
  if (dice.percent(85)) context["visitor.id"] = dice.percent(95) ? `visitor-${dice.below(100_000)}` : dice.of(["short", "no id, this", ""]);
  if (dice.percent(75)) context["geo.timezone"] = dice.of(ZONES);

  const profile: Visitor["profile"] = {};
  if (dice.percent(70)) profile["visitor.user_id"] = userId(dice);
  if (dice.percent(60)) profile["visitor.session_start"] = dice.percent(95) ? date(sessionStart) : "a while ago";
  for (const experience of experiences) {
    if (dice.percent(experience.sticky ? 60 : 10)) profile[`assignment.${experience.id}`] = assignment(dice, experience);
    if (dice.percent(experience.cap ? 75 : 10)) profile[`seen.${experience.id}`] = seen(dice, experience.cap ?? {}, now, sessionStart);
  }
  for (const [group, { cap: limits }] of Object.entries(groups)) if (dice.percent(limits ? 75 : 10)) profile[`seen_group.${group}`] = seen(dice, limits ?? {}, now, sessionStart);
  if (dice.percent(manifest.cap ? 75 : 10)) profile["seen_site"] = seen(dice, manifest.cap ?? {}, now, sessionStart);
  // The same may be told by overrides, which outrank the profile.
  for (const [path, value] of Object.entries(profile)) {
    if (!dice.percent(8)) continue;
    context[path] = dice.percent(75) ? value : null;
    if (dice.percent(50)) delete profile[path];
  }
  if (dice.percent(15)) for (const experience of shuffled(dice, experiences).slice(0, 1 + dice.below(2))) context[`variant.${experience.id}`] = assignment(dice, experience);
  return { url: `https://shop.example${dice.of(PATHS)}${dice.percent(20) ? "?x=1" : ""}`, now: date(now), context, profile };
}

/** The site and the visitors of a seed. */
export function generate(seed: number, visitors: number): Case {
  const dice = new Dice(seed);
  const noon = dice.of(NOONS);
  const drawn = site(dice, noon);
  return { site: drawn, visitors: Array.from({ length: visitors }, () => visitor(dice, drawn, noon)) };
}
