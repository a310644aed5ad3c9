// Eppo: a flag for each slot, with its experiences as allocations.
import eppo from "@eppo/js-client-sdk-common";

export const name = "Eppo";
export const from = "@eppo/js-client-sdk-common";
export const equivalence =
  "A slot is a flag, an experience an allocation to everybody whom one of its rules matches, in the order of arbitration, and its variation the value. A rule is an `and` of conditions, so that `or` becomes several rules, and a negation is moved to the conditions (`NOT_ONE_OF`, `NOT_MATCHES`). Equality is `ONE_OF` one, ranges are `GTE` and `LT`, text contains, starts or ends with is `MATCHES` (a regular expression). A schedule compares the visitor's time as an attribute, as an allocation's own dates are compared with the clock. Asked through EppoClient.getStringAssignment, the evaluator of Eppo's SDKs, with a configuration in memory; nothing is logged.";

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const NEGATED = { ONE_OF: "NOT_ONE_OF", MATCHES: "NOT_MATCHES", GTE: "LT", LT: "GTE" };

/** Conditions of which one has to hold, each a list of which all have to. */
function alternatives(test, negated = false) {
  const { is, name: attribute, value, values, part } = test;
  const condition = (operator, operand, isNegated = negated) => [[{ attribute, operator: isNegated ? NEGATED[operator] : operator, value: operand }]];
  const any = (lists) => lists.flat();
  const all = (lists) => lists.reduce((sofar, list) => sofar.flatMap((one) => list.map((other) => [...one, ...other])), [[]]);
  switch (is) {
    case "equal": return condition("ONE_OF", [String(value)]);
    case "differs": return condition("ONE_OF", [String(value)], !negated);
    case "within": return condition("ONE_OF", values.map(String));
    case "between": return (negated ? any : all)([condition("GTE", test.from), condition("LT", test.until)]);
    case "contains": return condition("MATCHES", escaped(part));
    case "startsWith": return condition("MATCHES", `^${escaped(part)}`);
    case "endsWith": return condition("MATCHES", `${escaped(part)}$`);
    case "not": return alternatives(test.test, !negated);
    case "either": return (negated ? all : any)(test.tests.map((one) => alternatives(one, negated)));
    case "both": return (negated ? any : all)(test.tests.map((one) => alternatives(one, negated)));
    default: throw new Error(`Eppo: no dialect for ${is}`);
  }
}

/** What no experience is called. */
const NONE = "none";

export function write(slots) {
  const allocation = ({ id, test }) => ({
    key: id, doLog: false, splits: [{ variationKey: id, shards: [] }], rules: alternatives(test).map((conditions) => ({ conditions })),
  });
  const flag = ({ slot, rules }) => ({
    key: slot, enabled: true, variationType: "STRING", totalShards: 10_000,
    variations: Object.fromEntries(rules.map(({ id }) => [id, { key: id, value: id }])),
    allocations: rules.map(allocation),
  });
  return JSON.stringify(Object.fromEntries(slots.map((one) => [one.slot, flag(one)])));
}

export async function start() {
  return async (text, slots) => {
    const store = new eppo.MemoryOnlyConfigurationStore();
    await store.setEntries(JSON.parse(text));
    store.setFormat("SERVER");
    const client = new eppo.EppoClient({ flagConfigurationStore: store });
    const value = (slot, { id, attributes }) => {
      const assigned = client.getStringAssignment(slot, id, attributes, NONE);
      return assigned === NONE ? null : assigned;
    };
    return {
      ready: (attributes, number) => ({ id: `visitor-${number}`, attributes }),
      evaluate: (subject) => slots.map((slot) => value(slot, subject)),
    };
  };
}
