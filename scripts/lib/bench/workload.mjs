// The mixed workload: what a shop might ask for. Targeting only: engines draw buckets differently by design, so there are no
// experiments and no traffic shares.
import { Dice } from "./dice.mjs";
import { manifest } from "./manifest.mjs";
import { between, both, contains, differs, either, endsWith, equal, not, startsWith, within } from "./rules.mjs";
import { PATH, PERIOD, VALUES } from "./visitors.mjs";

/** The slots of the page; each is a flag, a feature or an engine of its own to the peers. */
export const SLOTS = ["hero", "banner", "teaser", "offer", "recommendations", "call-to-action", "newsletter", "footer-note"];

/** At most so many experiences concern the page that is looked at, and never more than this share of all. */
const MOST_ON_PAGE = 200;
const SHARE_ON_PAGE = 0.6;

/** How many of `count` experiences pass the page rules of the page that is looked at; the others are for other pages. */
export const onPage = (count) => Math.min(Math.round(count * SHARE_ON_PAGE), MOST_ON_PAGE);

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
    asks: (dice) => ({ test: both(...equalities(dice, dice.weighted([[3, 1], [5, 2], [2, 3]]))) }),
  },
  "or, in": {
    tenths: 2,
    priority: [30, 60],
    asks(dice) {
      const [first, second] = dice.some(2, MANY);
      const [third] = fields(dice, 3).filter((name) => name !== first && name !== second);
      const list = (name) => within(name, dice.some(2 + dice.below(3), VALUES[name]));
      const one = dice.percent(50) ? list(first) : either(equal(first, dice.of(VALUES[first])), dice.percent(50) ? list(second) : equal(second, dice.of(VALUES[second])));
      return { test: dice.percent(60) ? both(one, equal(third, dice.of(VALUES[third]))) : one };
    },
  },
  range: {
    tenths: 1,
    priority: [10, 60],
    asks(dice) {
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
      return range === "schedule" ? { test: narrow, schedule: schedule(dice) } : { test: dice.percent(70) ? both(narrow, range) : range };
    },
  },
  "not indexable": {
    tenths: 1,
    priority: [0, 40],
    asks(dice) {
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
      return { test: dice.percent(60) ? both(part, negation()) : part };
    },
  },
};

/** Some days of the visitors' period: a `schedule` for Idoine, for others a test of the time. */
function schedule(dice) {
  const day = 86_400_000;
  const days = (PERIOD[1] - PERIOD[0]) / day;
  const from = PERIOD[0] + dice.below(days - 3) * day;
  return { from, until: from + (1 + dice.below(7)) * day };
}

/** Page rules of the experiences that concern the page that is looked at. */
const HERE = [[4, [PATH]], [4, ["/collections/*"]], [2, undefined]];

function otherPage(dice, index) {
  return [dice.of([`/products/p-${index}`, `/collections/c-${index % 97}`, `/sale/s-${index % 41}/*`, `/stores/${index % 300}`])];
}

/** So many experiences over the slots, always the same for one seed, before any dialect. */
export function mixed(count, seed) {
  const dice = new Dice(seed + count);
  const indices = Array.from({ length: count }, (_, index) => index);
  const tenths = Object.values(KINDS).flatMap((kind) => Array(kind.tenths).fill(kind));
  const kinds = dice.shuffled(indices.map((index) => tenths[index % tenths.length]));
  const slots = dice.shuffled(indices.map((index) => SLOTS[index % SLOTS.length]));
  const here = new Set(dice.some(onPage(count), indices));
  return indices.map((index) => {
    const { asks, priority } = kinds[index];
    const pages = here.has(index) ? dice.weighted(HERE) : otherPage(dice, index);
    return { id: idOf(index), slot: slots[index], priority: priority[0] + dice.below(priority[1]), pages, ...asks(dice) };
  });
}

/**
 * The mixed workload as a manifest.
 * @returns {{manifest: string, experiences: {id: string, slot: string, priority: number, test: object}[], onPage: number}} its text, its experiences, and how many concern the page
 */
export function workload(count, seed) {
  const experiences = mixed(count, seed);
  return { manifest: manifest(SLOTS, experiences), experiences, onPage: onPage(count) };
}

export const idOf = (index) => `e-${String(index).padStart(5, "0")}`;
