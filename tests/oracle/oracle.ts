// The oracle: the decision once more, from the manifest's JSON, as the documentation tells it. One scan, step by step; no index,
// no program, nothing shared with the code that it checks. At most 300 lines: oracle.test.ts counts them.

import type { Cap, Comparison, Content, Decided, Decision, Experience, Expr, Outcome, Purpose, Site, Visitor } from "./manifest.ts";

const MILLION = 1_000_000;
const DAY = 86_400_000;

// Buckets.

/** MurmurHash3 x86 32. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));
  const mix = (word: number): number => Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  const tail = bytes.length - (bytes.length % 4);
  let hash = seed;
  for (let at = 0; at < tail; at += 4) {
    hash ^= mix(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = bytes.length - 1; at >= tail; at--) rest = (rest << 8) | bytes[at]!;
  hash ^= mix(rest) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The bucket of a unit, below `total`. */
export function bucket(draw: string, id: string, unit: string, total: number): number {
  const key: number[] = [];
  for (const part of [draw, id, unit]) {
    const bytes = new TextEncoder().encode(part);
    key.push(bytes.length & 255, (bytes.length >> 8) & 255, (bytes.length >> 16) & 255, 0, ...bytes);
  }
  return Number((BigInt(murmur3(Uint8Array.from(key), 0)) * BigInt(total)) >> 32n);
}

const millionths = (share: number): number => Math.round(share * MILLION);
const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

/** The index of the weight that a unit's bucket falls into. */
function drawVariant(id: string, unit: string, weights: number[]): number {
  const drawn = bucket("variant", id, unit, sum(weights));
  return weights.findIndex((_, index) => drawn < sum(weights.slice(0, index + 1)));
}

// Time.

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds that a zone is ahead of UTC. */
function offset(zone: string | undefined, instant: number): number {
  if (zone === undefined) return 0;
  const clock = clocks.get(zone) ?? new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  clocks.set(zone, clock);
  return Date.parse(`${clock.format(instant).replace(" ", "T")}Z`) - Math.floor(instant / 1000) * 1000;
}

const hasOffset = (text: string): boolean => /T.*(Z|[+-]\d\d:\d\d)$/.test(text);

/** The instant that a text of the manifest names; without an offset it is of the site's zone. */
export function instant(text: string, zone: string | undefined): number {
  if (hasOffset(text)) return Date.parse(text);
  const local = Date.parse(text.includes("T") ? `${text}Z` : text);
  const [before, after] = [local - offset(zone, local - DAY), local - offset(zone, local + DAY)];
  // The first of two where clocks go back; where they skip it, as much later.
  return [Math.min(before, after), Math.max(before, after)].find((ms) => ms + offset(zone, ms) === local) ?? before;
}

/** The share of visitors that take part at an instant, in millionths. */
function trafficAt({ traffic = 1 }: Experience, now: number, zone: string | undefined): number {
  if (typeof traffic === "number") return millionths(traffic);
  const points = traffic.points.map(({ at, share }) => ({ at: instant(at, zone), share: millionths(share) }));
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  let share = 0;
  for (const [index, point] of points.entries()) {
    if (point.at > now) break;
    const next = points[index + 1];
    share = point.share;
    if (traffic.ramp === "steps" || next === undefined) continue;
    const [passed, whole] = [seconds(now) - seconds(point.at), seconds(next.at) - seconds(point.at)];
    if (next.at > now) share += Math.trunc(((next.share - point.share) * passed) / whole);
  }
  return share;
}

// Expressions: a value, or one of two reasons why there is none.

const MISSING = Symbol("missing");
const DENIED = Symbol("denied");
type Worth = boolean | number | string | string[] | typeof MISSING | typeof DENIED;

/** The weightier of the reasons, if one of these has no value. */
function absent(worths: Worth[]): typeof MISSING | typeof DENIED | undefined {
  return worths.includes(DENIED) ? DENIED : worths.includes(MISSING) ? MISSING : undefined;
}

function evaluate(expr: Expr, field: (path: string) => Worth, audience: (name: string) => Worth): Worth {
  const worth = (inner: Expr): Worth => evaluate(inner, field, audience);
  if (expr.op === "literal") return expr.value;
  if (expr.op === "field") return field(expr.path);
  if (expr.op === "has") return absent([field(expr.path)]) === undefined;
  if (expr.op === "audience") return audience(expr.name);
  if (expr.op === "not") return absent([worth(expr.of)]) ?? !worth(expr.of);
  if (expr.op === "and" || expr.op === "or") {
    const [worths, absorbing] = [expr.of.map(worth), expr.op === "or"];
    return worths.includes(absorbing) ? absorbing : (absent(worths) ?? !absorbing);
  }
  const left = worth(expr.left);
  if (expr.op === "in") {
    const list = Array.isArray(expr.list) ? expr.list.map(worth) : worth(expr.list);
    if (!Array.isArray(list)) return absent([left, list])!;
    // A list that is written out: as `left == first || left == second || ...`.
    const equals = list.map((item) => absent([left, item]) ?? left === item);
    return equals.includes(true) ? true : (absent([left, ...equals]) ?? false);
  }
  const right = worth(expr.right);
  const compared = (a: number, b: number): Record<Comparison, boolean> => ({ "==": a === b, "!=": a !== b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b });
  return absent([left, right]) ?? compared(left as number, right as number)[expr.op];
}

// Experiences.

type Part = { name?: string; weights?: number[]; slots: [string, Content[]][] };

/** An experience's factors. One without any has a single one without a name; a personalization has a baseline and its content. */
function factorsOf({ factors, slots = {}, weights }: Experience): Part[] {
  if (factors) return Object.entries(factors).map(([name, factor]) => ({ name, ...factor, slots: Object.entries(factor.slots) }));
  const both = Object.entries(slots).map(([slot, content]): [string, Content[]] => [slot, Array.isArray(content) ? content : [{ baseline: true }, content]]);
  return [{ ...(weights && { weights }), slots: both }];
}

const levelsIn = ({ slots }: Part): number => slots[0]?.[1].length ?? 2;

/** A level for each factor, from text such as `2` or `1,0`. */
function levelsFrom(text: string | undefined, experience: Experience): number[] | undefined {
  if (text === undefined || !/^\d+(,\d+)*$/.test(text)) return undefined;
  const levels = text.split(",").map(Number);
  const factors = factorsOf(experience);
  return levels.length === factors.length && levels.every((level, index) => level < levelsIn(factors[index]!)) ? levels : undefined;
}

const slotsOf = (experience: Experience): string[] => factorsOf(experience).flatMap(({ slots }) => slots.map(([slot]) => slot));

const byPriorityAndId = (a: Experience, b: Experience): number => (b.priority ?? 0) - (a.priority ?? 0) || (a.id < b.id ? -1 : 1);

/** Whether one of the path globs matches; without any, every page does. */
const onPages = (globs: string[] = [], path: string): boolean => globs.length === 0 || globs.some((glob) => new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(path));

/** What an experience is assigned in steps 2 to 7, or why it loses there. */
type Assigned = { levels: number[]; reason: string };
const isLoss = (outcome: Assigned | Outcome): outcome is Outcome => !("levels" in outcome);

export function decide({ manifest, expressions }: Site, visitor: Visitor): Decided {
  const now = Date.parse(visitor.now);
  const path = new URL(visitor.url).pathname;
  const agreed = (purpose: Purpose = "personalization"): boolean => visitor.context[`consent.${purpose}`] === true;

  // What is told of the visitor beside the fields: an override outranks the profile, and an empty one takes it away.
  const told = (name: string): string | undefined => (name in visitor.context ? String(visitor.context[name] ?? "") : visitor.profile[name]) || undefined;
  const moment = (text: string | undefined): number | undefined => (text === undefined || !hasOffset(text) || Number.isNaN(Date.parse(text)) ? undefined : Date.parse(text));
  const id = /^[\w-]{8,64}$/.exec(told("visitor.id") ?? "")?.[0];
  const zone = told("geo.timezone");
  const sessionStart = moment(told("visitor.session_start"));

  const field = (name: string): Worth => {
    if (name.startsWith("consent.")) return visitor.context[name] === true;
    const purpose = name === "visitor.returning" ? "personalization" : manifest.traits[name.replace("profile.", "")]?.purpose;
    if (purpose !== undefined && !agreed(purpose)) return DENIED;
    return visitor.context[name] ?? (name === "visitor.returning" ? id !== undefined : MISSING);
  };
  const audience = (name: string): Worth => evaluate(expressions[manifest.audiences[name]!]!, field, audience);

  /** The text that buckets are drawn for. */
  function unitOf(purpose: Purpose | undefined, unit = "visitor"): string | undefined {
    if (!agreed(purpose)) return undefined;
    if (unit === "visitor") return id;
    if (unit === "user") return [...(told("visitor.user_id") ?? "")].length <= 128 ? told("visitor.user_id") : undefined;
    const trait = field(unit);
    return absent([trait]) ? undefined : String(trait) || undefined;
  }

  const forcedLevels = (experience: Experience): number[] | undefined => levelsFrom(String(visitor.context[`variant.${experience.id}`] ?? ""), experience);

  /** Steps 2 to 7. */
  function assign(experience: Experience): Assigned | Outcome {
    const { purpose, status, schedule, requires = [] } = experience;
    const lost = (reason: string, by?: string): Outcome => ({ reason, ...(by !== undefined && { by }) });
    const forced = forcedLevels(experience);
    const kept = experience.sticky && agreed(purpose) ? levelsFrom(told(`assignment.${experience.id}`), experience) : undefined;

    // 2, 3 and 4: status, schedule, audience.
    if (!forced && (status === "draft" || status === "paused")) return lost(status);
    const bound = (text: string | undefined, open: number): number => (text === undefined ? open : instant(text, manifest.site.timezone));
    if (!forced && (now < bound(schedule?.from, -Infinity) || now >= bound(schedule?.until, Infinity))) return lost("schedule");
    if (!forced && !kept && experience.audience !== undefined) {
      const worth = evaluate(expressions[experience.audience]!, field, audience);
      if (worth !== true) return lost(worth === DENIED ? "no_consent" : worth === MISSING ? "unknown" : "audience");
    }

    // 5: the content of every variant. The first value that is missing says why.
    const contents = factorsOf(experience).flatMap(({ slots }) => slots.flatMap(([, variants]) => variants));
    for (const [, name] of JSON.stringify(contents).matchAll(/\{\{ ([\w.]+) \}\}/g)) {
      const none = absent([field(name!)]);
      if (none !== undefined) return lost(none === DENIED ? "no_consent" : "unknown");
    }
    if (forced) return { levels: forced, reason: "forced" };

    // 6: prerequisites.
    for (const required of kept ? [] : requires) {
      const other = manifest.experiences.find((one) => one.id === required.experience)!;
      const there = assign(other);
      const factor = Math.max(0, factorsOf(other).findIndex(({ name }) => name !== undefined && name === required.factor));
      const fits = !isLoss(there) && there.reason !== "no_unit" && (required.variants?.includes(there.levels[factor]!) ?? true);
      if (!fits) return lost("prerequisite", required.experience);
    }

    // 7: draws.
    const unit = unitOf(purpose, experience.unit);
    const visitorId = unitOf(purpose);
    if (visitorId !== undefined && bucket("site-holdout", manifest.site.id, visitorId, MILLION) < millionths(manifest.holdout ?? 0)) return lost("holdout");
    if (unit !== undefined && bucket("holdout", experience.id, unit, MILLION) < millionths(experience.holdout ?? 0)) return lost("experience_holdout");
    if (experience.winner !== undefined) return { levels: [experience.winner].flat(), reason: "winner" };
    if (kept) return { levels: kept, reason: "sticky" };
    const factors = factorsOf(experience);
    const traffic = trafficAt(experience, now, manifest.site.timezone);
    if (unit === undefined) {
      const needed = experience.type === "experiment" || experience.layer !== undefined || traffic < MILLION;
      return needed ? { levels: factors.map(() => 0), reason: "no_unit" } : { levels: [1], reason: "match" };
    }
    if (experience.layer) {
      const drawn = bucket("layer", experience.layer.name, unit, MILLION);
      if (drawn < millionths(experience.layer.from) || drawn >= millionths(experience.layer.to)) return lost("layer");
    }
    if (bucket("traffic", experience.id, unit, MILLION) >= traffic) return lost("traffic");
    if (experience.type === "personalization") return { levels: [1], reason: "match" };
    const { id: own, runs, weights } = experience;
    if (runs) return { levels: runs[drawVariant(own, unit, weights ?? runs.map(() => 1))]!, reason: "split" };
    return { levels: factors.map((factor) => drawVariant(factor.name === undefined ? own : `${own}/${factor.name}`, unit, factor.weights ?? Array<number>(levelsIn(factor)).fill(1))), reason: "split" };
  }

  const winners: Experience[] = [];
  const decisions = Object.keys(manifest.slots)
    .filter((slot) => onPages(manifest.slots[slot]!.pages, path))
    .map((slot): Decision => ({ slot, experience: null, variant: 0, source: "baseline", reason: "no_candidate" }));
  const onPage = (slot: string): Decision | undefined => decisions.find((decision) => decision.slot === slot);
  const membersOf = (group: string): Experience[] => winners.filter((winner) => winner.groups?.includes(group));

  /** Step 8: frequency caps and cooldowns. */
  function capped(experience: Experience): Outcome | undefined {
    const day = (ms: number): number => Math.floor((ms + offset(zone, now)) / DAY);
    const week = (ms: number): number => Math.floor((day(ms) + 3) / 7);
    const scopes: [Cap | undefined, string, number][] = [[experience.cap, `seen.${experience.id}`, 0]];
    for (const group of experience.groups ?? []) scopes.push([manifest.groups[group]!.cap, `seen_group.${group}`, membersOf(group).length]);
    const counted = (one: Experience): boolean => one.global_cap !== false && Boolean(one.slots ?? one.factors);
    if (counted(experience)) scopes.push([manifest.cap, "seen_site", winners.filter(counted).length]);
    for (const [cap = {}, name, here] of scopes) {
      const [, counts, instantText] = /^(\d+,\d+,\d+,\d+),(.+)$/.exec((agreed(experience.purpose) && told(name)) || "") ?? [];
      const last = moment(instantText);
      const stored = last === undefined ? [0, 0, 0, 0] : counts!.split(",").map(Number);
      const holds = last === undefined ? [] : [last >= (sessionStart ?? -Infinity), day(last) === day(now), week(last) === week(now), true];
      const limits = [cap.session, cap.day, cap.week, cap.total];
      if (limits.some((limit, part) => here + (holds[part] ? stored[part]! : 0) >= (limit ?? Infinity))) return { reason: "cap" };
      if (last !== undefined && cap.cooldown_minutes !== undefined && now - last < cap.cooldown_minutes * 60_000) return { reason: "cooldown" };
    }
    return undefined;
  }

  /** Step 9: arbitration. */
  function arbitrated(experience: Experience): Outcome | undefined {
    const groups = experience.groups ?? [];
    const suppressor = winners.find((winner) => winner.suppresses?.some((group) => groups.includes(group)));
    if (suppressor) return { reason: "suppressed", by: suppressor.id };
    for (const group of groups) {
      if (membersOf(group).length >= (manifest.groups[group]!.max ?? 1)) return { reason: "group_taken", by: membersOf(group).at(-1)!.id };
    }
    const taken = slotsOf(experience).map((slot) => onPage(slot)?.experience).find((winner) => typeof winner === "string");
    return typeof taken === "string" ? { reason: "slot_taken", by: taken } : undefined;
  }

  const outcomes: Record<string, Outcome> = {};
  const sorted = manifest.experiences.toSorted(byPriorityAndId);
  for (const experience of [...sorted.filter(forcedLevels), ...sorted.filter((one) => !forcedLevels(one))]) {
    // 1: the page.
    const isHere = onPages(experience.pages, path) && (slotsOf(experience).length === 0 || slotsOf(experience).some(onPage));
    const outcome = isHere ? assign(experience) : { reason: "page" };
    const loss = isLoss(outcome) ? outcome : ((outcome.reason === "forced" ? undefined : capped(experience)) ?? arbitrated(experience));
    outcomes[experience.id] = loss ?? { reason: outcome.reason };
    if (loss || isLoss(outcome)) continue;
    winners.push(experience);
    for (const [index, { name, slots }] of factorsOf(experience).entries()) {
      for (const decision of slots.flatMap(([slot]) => onPage(slot) ?? [])) {
        const source = outcome.reason === "no_unit" ? "baseline" : experience.type;
        Object.assign(decision, { experience: experience.id, variant: outcome.levels[index]!, ...(name !== undefined && { factor: name }), source, reason: outcome.reason });
      }
    }
  }
  return { decisions, outcomes };
}
