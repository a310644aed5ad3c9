// json-rules-engine: an engine for each slot, whose rules stop it when one succeeds.
import { Engine } from "json-rules-engine";

export const name = "json-rules-engine";
export const from = "json-rules-engine";
export const equivalence =
  "A slot is an engine, an experience a rule with a priority of its own, in the order of arbitration; the first that succeeds stops the engine. Ranges are `greaterThanInclusive` and `lessThan`; text contains, starts or ends with are operators that we add, as its users do. The page and the schedule have a higher priority than the other conditions, which it then leaves out. Each page awaits the engines of all slots, started together.";

const compare = (fact, operator, value) => ({ fact, operator, value });

function conditions(test) {
  const { is, name: attribute, value, values, part } = test;
  switch (is) {
    case "equal": return compare(attribute, "equal", value);
    case "differs": return compare(attribute, "notEqual", value);
    case "within": return compare(attribute, "in", values);
    case "between": return { all: [compare(attribute, "greaterThanInclusive", test.from), compare(attribute, "lessThan", test.until)] };
    case "contains": return compare(attribute, "textContains", part);
    case "startsWith":
    case "endsWith": return compare(attribute, is, part);
    case "not": return { not: conditions(test.test) };
    case "either": return { any: test.tests.map(conditions) };
    case "both": return { all: test.tests.map((one) => ({ ...conditions(one), ...(["path", "now"].includes(one.name) && { priority: 2 }) })) };
    default: throw new Error(`json-rules-engine: no dialect for ${is}`);
  }
}

export function write(slots) {
  const rule = (rules) => ({ id, test }, index) => {
    const asked = conditions(test);
    return { conditions: asked.fact ? { all: [asked] } : asked, event: { type: id }, priority: rules.length - index };
  };
  return JSON.stringify(slots.map(({ rules }) => rules.map(rule(rules))));
}

export async function start() {
  const engine = (rules) => {
    const made = new Engine();
    made.addOperator("textContains", (text, part) => text.includes(part));
    made.addOperator("startsWith", (text, part) => text.startsWith(part));
    made.addOperator("endsWith", (text, part) => text.endsWith(part));
    for (const rule of rules) made.addRule(rule);
    made.on("success", () => made.stop());
    return made;
  };
  return (text) => {
    const engines = JSON.parse(text).map(engine);
    return {
      ready: (attributes) => attributes,
      evaluate: async (facts) => (await Promise.all(engines.map((one) => one.run(facts)))).map(({ events }) => events[0]?.type ?? null),
    };
  };
}
