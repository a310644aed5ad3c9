// The benchmark's experiences: the same rules written twice, as an Idoine manifest and as GrowthBook's features.
// Targeting only: the two draw buckets differently by design, so there are no experiments and no traffic shares.
import { Dice } from "./dice.mjs";
import { PATH, PERIOD, VALUES } from "./visitors.mjs";

/** The slots of the page; a slot of Idoine's is a feature of GrowthBook's. */
export const SLOTS = ["hero", "banner", "teaser", "offer", "recommendations", "call-to-action", "newsletter", "footer-note"];

/** At most so many experiences concern the page that is looked at, and never more than this share of all. */
const MOST_ON_PAGE = 200;
const SHARE_ON_PAGE = 0.6;

/** How many of `count` experiences pass the page rules of the page that is looked at; the others are for other pages. */
export const onPage = (count) => Math.min(Math.round(count * SHARE_ON_PAGE), MOST_ON_PAGE);

/** Fields by their name in GrowthBook's attributes. */
const PATHS = {
  country: "geo.country", city: "geo.city", latitude: "geo.latitude", longitude: "geo.longitude", asn: "network.asn", organization: "network.organization",
  deviceType: "device.type", os: "device.os", browser: "device.browser", language: "language.primary", languageTag: "language.tag",
  source: "source.name", channel: "source.channel", campaign: "source.campaign", hour: "time.hour", weekday: "time.weekday",
};

// A test in both languages: Idoine's expression and GrowthBook's condition.
const literal = (value) => JSON.stringify(value);
const equal = (name, value) => ({ expression: `${PATHS[name]} == ${literal(value)}`, condition: { [name]: value } });
const differs = (name, value) => ({ expression: `${PATHS[name]} != ${literal(value)}`, condition: { [name]: { $ne: value } } });
const within = (name, values) => ({ expression: `${PATHS[name]} in ${literal(values)}`, condition: { [name]: { $in: values } } });
const between = (name, from, until) => ({ expression: `${PATHS[name]} >= ${literal(from)} && ${PATHS[name]} < ${literal(until)}`, condition: { [name]: { $gte: from, $lt: until } } });
const contains = (name, part) => ({ expression: `${PATHS[name]}.contains(${literal(part)})`, condition: { [name]: { $regex: part } } });
const startsWith = (name, part) => ({ expression: `${PATHS[name]}.startsWith(${literal(part)})`, condition: { [name]: { $regex: `^${part}` } } });
const endsWith = (name, part) => ({ expression: `${PATHS[name]}.endsWith(${literal(part)})`, condition: { [name]: { $regex: `${part}$` } } });
const not = (test) => ({ expression: `!(${test.expression})`, condition: { $not: test.condition } });
const either = (one, other) => ({ expression: `(${one.expression} || ${other.expression})`, condition: { $or: [one.condition, other.condition] } });
/** All of them; each must speak of other attributes than the others, as the conditions become one object. */
const both = (...tests) => ({ expression: tests.map(({ expression }) => expression).join(" && "), condition: Object.assign({}, ...tests.map(({ condition }) => condition)) });

const EQUALITIES = [[24, "country"], [16, "campaign"], [14, "source"], [12, "deviceType"], [12, "language"], [8, "city"], [6, "channel"], [4, "os"], [4, "browser"]];
/** Fields with so many values that a list of some of them is still narrow. */
const MANY = ["country", "campaign", "source", "language", "city"];

/** Different fields that an equality can ask for. */
function fields(dice, count) {
  const names = new Set();
  while (names.size < count) names.add(dice.weighted(EQUALITIES));
  return [...names];
}

const equalities = (dice, count) => fields(dice, count).map((name) => equal(name, dice.of(VALUES[name])));

/** What experiences ask for, with its share in tenths, its lowest priority and its spread: what is narrow usually goes first. */
const KINDS = {
  equality: {
    tenths: 6,
    priority: [40, 60],
    test: (dice) => both(...equalities(dice, dice.weighted([[3, 1], [5, 2], [2, 3]]))),
  },
  "or, in": {
    tenths: 2,
    priority: [30, 60],
    test(dice) {
      const [first, second] = dice.some(2, MANY);
      const [third] = fields(dice, 3).filter((name) => name !== first && name !== second);
      const list = (name) => within(name, dice.some(2 + dice.below(3), VALUES[name]));
      const one = dice.percent(50) ? list(first) : either(equal(first, dice.of(VALUES[first])), dice.percent(50) ? list(second) : equal(second, dice.of(VALUES[second])));
      return dice.percent(60) ? both(one, equal(third, dice.of(VALUES[third]))) : one;
    },
  },
  range: {
    tenths: 1,
    priority: [10, 60],
    test(dice) {
      const latitude = 30 + dice.below(25);
      const hour = dice.below(20);
      const range = dice.of([
        () => between("latitude", latitude + 0.5, latitude + 5.5),
        () => both(between("latitude", latitude + 0.25, latitude + 8.25), between("longitude", -10.5, 20.5)),
        () => between("hour", hour, hour + 4),
        () => both(between("hour", 9, 18), within("weekday", [1, 2, 3, 4, 5])),
        () => between("asn", 500 * hour, 500 * hour + 2000),
        () => "schedule",
      ])();
      const [narrow] = equalities(dice, 1);
      return range === "schedule" ? { ...narrow, schedule: schedule(dice) } : dice.percent(70) ? both(narrow, range) : range;
    },
  },
  "not indexable": {
    tenths: 1,
    priority: [0, 40],
    test(dice) {
      const part = dice.of([
        () => contains("campaign", dice.of(["sale", "shoes", "black", "test", "-b", "gift"])),
        () => contains("organization", dice.of(["University", "Telecom", "Vodafone", "Institute"])),
        () => startsWith("campaign", `${dice.of(VALUES.theme)}-`),
        () => endsWith("languageTag", `-${dice.of(VALUES.country)}`),
      ])();
      const negation = dice.of([
        () => differs("country", dice.of(VALUES.country)),
        () => not(equal("deviceType", dice.of(VALUES.deviceType))),
        () => not(both(...equalities(dice, 2))),
      ]);
      return dice.percent(60) ? both(part, negation()) : part;
    },
  },
};

/** Some days of the visitors' period: a `schedule` for Idoine, for GrowthBook a condition on the time. */
function schedule(dice) {
  const day = 86_400_000;
  const days = (PERIOD[1] - PERIOD[0]) / day;
  const from = PERIOD[0] + dice.below(days - 3) * day;
  return { from, until: from + (1 + dice.below(7)) * day };
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** A page rule in both languages. GrowthBook looks at it first, as it is the cheapest and most selective test. */
function pageRule(path) {
  if (path === undefined) return { pages: undefined, condition: {} };
  return { pages: [path], condition: { path: path.includes("*") ? { $regex: `^${path.split("*").map(escaped).join(".*")}`.replace(/\.\*$/, "") } : path } };
}

const HERE = [[4, PATH], [4, "/collections/*"], [2, undefined]];

function otherPage(dice, index) {
  return dice.of([`/products/p-${index}`, `/collections/c-${index % 97}`, `/sale/s-${index % 41}/*`, `/stores/${index % 300}`]);
}

/**
 * So many experiences over the slots, always the same for one seed.
 * @returns {{manifest: string, features: object, onPage: number}} the manifest's text, and GrowthBook's features
 */
export function workload(count, seed) {
  const dice = new Dice(seed + count);
  const indices = Array.from({ length: count }, (_, index) => index);
  const tenths = Object.values(KINDS).flatMap((kind) => Array(kind.tenths).fill(kind));
  const kinds = dice.shuffled(indices.map((index) => tenths[index % tenths.length]));
  const slots = dice.shuffled(indices.map((index) => SLOTS[index % SLOTS.length]));
  const here = new Set(dice.some(onPage(count), indices));

  const experiences = indices.map((index) => {
    const { test, priority } = kinds[index];
    const page = pageRule(here.has(index) ? dice.weighted(HERE) : otherPage(dice, index));
    return { id: `e-${String(index).padStart(5, "0")}`, slot: slots[index], priority: priority[0] + dice.below(priority[1]), page, ...test(dice) };
  });
  return { manifest: manifest(experiences), features: features(experiences), onPage: here.size };
}

function manifest(experiences) {
  return JSON.stringify({
    site: { id: "bench", hosts: ["shop.example"], timezone: "Europe/Paris" },
    slots: Object.fromEntries(SLOTS.map((name) => [name, { selector: `#${name}` }])),
    experiences: experiences.map(({ id, slot, priority, page, expression, schedule: days }) => ({
      id,
      type: "personalization",
      audience: expression,
      priority,
      schedule: days && { from: new Date(days.from).toISOString(), until: new Date(days.until).toISOString() },
      pages: page.pages,
      slots: { [slot]: { text: `Content of ${id}` } },
    })),
  });
}

/** The first rule that holds decides: rules stand in the order of Idoine's arbitration. */
function features(experiences) {
  const ordered = [...experiences].sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  const rules = (slot) => ordered.filter((experience) => experience.slot === slot).map(({ id, page, condition, schedule: days }) => ({
    condition: { ...page.condition, ...(days && { now: { $gte: days.from, $lt: days.until } }), ...condition },
    force: id,
  }));
  return Object.fromEntries(SLOTS.map((slot) => [slot, { defaultValue: null, rules: rules(slot) }]));
}
