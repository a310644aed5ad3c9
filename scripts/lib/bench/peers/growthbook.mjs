// GrowthBook: a feature for each slot, with ordered rules of `condition` and `force`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../paths.mjs";

export const name = "GrowthBook";
export const from = "@growthbook/growthbook";
export const equivalence =
  "A slot is a feature, an experience a rule of `condition` and `force`, in the order of arbitration. Lists are `$in`, ranges `$gte` and `$lt`; text contains, starts or ends with is `$regex`. Asked through GrowthBookClient.evalFeature of the package's own production bundle.";

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function condition(test) {
  const { is, name: attribute, value, values, part } = test;
  switch (is) {
    case "equal": return { [attribute]: value };
    case "differs": return { [attribute]: { $ne: value } };
    case "within": return { [attribute]: { $in: values } };
    case "between": return { [attribute]: { $gte: test.from, $lt: test.until } };
    case "contains": return { [attribute]: { $regex: escaped(part) } };
    case "startsWith": return { [attribute]: { $regex: `^${escaped(part)}` } };
    case "endsWith": return { [attribute]: { $regex: `${escaped(part)}$` } };
    case "not": return { $not: condition(test.test) };
    case "either": return { $or: test.tests.map(condition) };
    case "both": {
      const all = test.tests.map(condition);
      const keys = all.flatMap(Object.keys);
      // One object is the quicker form; it takes each key once.
      return new Set(keys).size === keys.length ? Object.assign({}, ...all) : { $and: all };
    }
    default: throw new Error(`GrowthBook: no dialect for ${is}`);
  }
}

export function write(slots) {
  const rules = (list) => list.map(({ id, test }) => ({ condition: condition(test), force: id }));
  return JSON.stringify({ features: Object.fromEntries(slots.map(({ slot, rules: list }) => [slot, { defaultValue: null, rules: rules(list) }])) });
}

export async function start(folder) {
  // The package's other files ask `process.env` for the mode at every rule, which is slow in Node and which bundlers take out for
  // browsers and Workers. The copy's name says to Node that it's a module.
  const bundle = join(folder, "growthbook.mjs");
  writeFileSync(bundle, readFileSync(join(ROOT, "node_modules", from, "dist", "bundles", "esm.min.js")));
  const { GrowthBookClient } = await import(pathToFileURL(bundle).href);
  return (text, slots) => {
    const client = new GrowthBookClient().initSync({ payload: JSON.parse(text) });
    return {
      ready: (attributes) => ({ attributes }),
      evaluate: (user) => slots.map((slot) => client.evalFeature(slot, user).value),
    };
  };
}
