// Optimizely Feature Experimentation: a flag for each slot, with its experiences as the rules of a rollout.
import { createInstance, createStaticProjectConfigManager, OptimizelyDecideOption } from "@optimizely/optimizely-sdk";

export const name = "Optimizely";
export const from = "@optimizely/optimizely-sdk";
export const equivalence =
  "A slot is a flag, an experience a targeted delivery to everybody in its audience, in the order of arbitration, and its variation the value. Lists are `or` of `exact`, ranges `ge` and `lt`, text contains is `substring`. There is no starts with or ends with: `substring` takes their place, which for these visitors is the same. Asked through decideForKeys of a new user context, from a static datafile: no network, event or log.";

const match = (attribute, how, value) => ({ type: "custom_attribute", name: attribute, match: how, value });

function conditions(test) {
  const { is, name: attribute, value, values, part } = test;
  switch (is) {
    case "equal": return match(attribute, "exact", value);
    case "differs": return ["not", match(attribute, "exact", value)];
    case "within": return ["or", ...values.map((one) => match(attribute, "exact", one))];
    case "between": return ["and", match(attribute, "ge", test.from), match(attribute, "lt", test.until)];
    case "contains":
    case "startsWith":
    case "endsWith": return match(attribute, "substring", part);
    case "not": return ["not", conditions(test.test)];
    case "either": return ["or", ...test.tests.map(conditions)];
    case "both": return ["and", ...test.tests.map(conditions)];
    default: throw new Error(`Optimizely: no dialect for ${is}`);
  }
}

const EVERYBODY = 10_000;

/** A rule that serves one variation to an audience; the last of a rollout is for everybody else. */
function rule(id, variation, audiences, featureEnabled) {
  return {
    id: `rule-${id}`, key: `rule-${id}`, layerId: `layer-${id}`, status: "Running", forcedVariations: {}, audienceIds: audiences,
    variations: [{ id: `variation-${id}`, key: variation, featureEnabled, variables: [] }],
    trafficAllocation: [{ entityId: `variation-${id}`, endOfRange: EVERYBODY }],
  };
}

export function write(slots) {
  const all = slots.flatMap(({ rules }) => rules);
  return JSON.stringify({
    version: "4", projectId: "bench", accountId: "bench", sdkKey: "bench", environmentKey: "bench", revision: "1", anonymizeIP: true, botFiltering: false,
    attributes: [], audiences: [], events: [], experiments: [], groups: [], variables: [], integrations: [],
    typedAudiences: all.map(({ id, test }) => ({ id, name: id, conditions: conditions(test) })),
    featureFlags: slots.map(({ slot }) => ({ id: slot, key: slot, rolloutId: `rollout-${slot}`, experimentIds: [], variables: [] })),
    rollouts: slots.map(({ slot, rules }) => ({
      id: `rollout-${slot}`,
      experiments: [...rules.map(({ id }) => rule(id, id, [id], true)), rule(`else-${slot}`, "none", [], false)],
    })),
  });
}

export async function start() {
  return async (datafile, flags) => {
    const projectConfigManager = createStaticProjectConfigManager({ datafile });
    const client = createInstance({ projectConfigManager, defaultDecideOptions: [OptimizelyDecideOption.DISABLE_DECISION_EVENT] });
    await client.onReady();
    return {
      ready: (attributes, number) => ({ id: `visitor-${number}`, attributes }),
      evaluate({ id, attributes }) {
        const decisions = client.createUserContext(id, attributes).decideForKeys(flags);
        return flags.map((flag) => (decisions[flag].enabled ? decisions[flag].variationKey : null));
      },
    };
  };
}
