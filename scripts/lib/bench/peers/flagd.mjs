// flagd's in-process evaluation: a flag for each slot, with JsonLogic for its targeting.
import { FlagdCore } from "@openfeature/flagd-core";

export const name = "flagd-core";
export const from = "@openfeature/flagd-core";
export const equivalence =
  "A slot is a flag whose targeting is one JsonLogic `if` with a branch for each experience, in the order of arbitration; an experience is a variant. Ranges are `<=` and `<`, text contains is `in`, and `starts_with` and `ends_with` are flagd's own. Asked through FlagdCore.resolveStringEvaluation, which compiles the targeting to a function when flags are loaded; no log.";

const attribute = (test) => ({ var: test.name });

function logic(test) {
  switch (test.is) {
    case "equal": return { "==": [attribute(test), test.value] };
    case "differs": return { "!=": [attribute(test), test.value] };
    case "within": return { in: [attribute(test), test.values] };
    case "between": return { and: [{ "<=": [test.from, attribute(test)] }, { "<": [attribute(test), test.until] }] };
    case "contains": return { in: [test.part, attribute(test)] };
    case "startsWith": return { starts_with: [attribute(test), test.part] };
    case "endsWith": return { ends_with: [attribute(test), test.part] };
    case "not": return { "!": [logic(test.test)] };
    case "either": return { or: test.tests.map(logic) };
    case "both": return { and: test.tests.map(logic) };
    default: throw new Error(`flagd: no dialect for ${test.is}`);
  }
}

/** What no experience is called. */
const NONE = "none";

export function write(slots) {
  const flags = {};
  for (const { slot, rules } of slots) {
    const variants = Object.fromEntries([NONE, ...rules.map(({ id }) => id)].map((id) => [id, id]));
    const branches = rules.flatMap(({ id, test }) => [logic(test), id]);
    flags[slot] = { state: "ENABLED", variants, defaultVariant: NONE, ...(rules.length > 0 && { targeting: { if: [...branches, NONE] } }) };
  }
  return JSON.stringify({ flags });
}

export async function start() {
  const silent = { error() {}, warn() {}, info() {}, debug() {} };
  return (text, slots) => {
    const core = new FlagdCore(undefined, silent);
    core.setConfigurations(text);
    const value = (slot, context) => {
      const resolved = core.resolveStringEvaluation(slot, NONE, context);
      if (resolved.errorMessage) throw new Error(resolved.errorMessage);
      return resolved.value === NONE ? null : resolved.value;
    };
    return { ready: (attributes) => attributes, evaluate: (context) => slots.map((slot) => value(slot, context)) };
  };
}
