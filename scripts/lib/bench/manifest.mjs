// Idoine's dialect: a workload as a manifest, with CEL expressions.

/** Attributes by their path in Idoine's context. */
const PATHS = {
  country: "geo.country", city: "geo.city", latitude: "geo.latitude", longitude: "geo.longitude", asn: "network.asn", organization: "network.organization",
  deviceType: "device.type", os: "device.os", browser: "device.browser", language: "language.primary", languageTag: "language.tag",
  source: "source.name", channel: "source.channel", campaign: "source.campaign", hour: "time.hour", weekday: "time.weekday",
};

const literal = (value) => (typeof value === "string" ? `'${value.replaceAll(/['\\]/g, "\\$&")}'` : JSON.stringify(value));

/** A test as an expression; `name` says what a test of one attribute is called, where it has a name. */
function expression(test, name) {
  const called = name(test);
  if (called !== undefined) return called;
  const inner = (one) => (["either", "both"].includes(one.is) ? `(${expression(one, name)})` : expression(one, name));
  const path = PATHS[test.name];
  switch (test.is) {
    case "equal": return `${path} == ${literal(test.value)}`;
    case "differs": return `${path} != ${literal(test.value)}`;
    case "within": return `${path} in [${test.values.map(literal).join(", ")}]`;
    case "between": return `${path} >= ${literal(test.from)} && ${path} < ${literal(test.until)}`;
    case "not": return `!(${expression(test.test, name)})`;
    case "either": return test.tests.map(inner).join(" || ");
    case "both": return test.tests.map((one) => (one.is === "either" ? inner(one) : expression(one, name))).join(" && ");
    default: return `${path}.${test.is}(${literal(test.part)})`; // contains, startsWith, endsWith
  }
}

/** The tests of one attribute that a test is made of. */
const leaves = (test) => (test.name !== undefined ? [test] : (test.tests ?? [test.test]).flatMap(leaves));

/**
 * What is asked for more than once is an audience with a name. It keeps 100,000 experiences below the 16 MiB that a manifest may
 * have; the compiler writes names out.
 */
function named(experiences) {
  const uses = new Map();
  for (const one of experiences.flatMap(({ test }) => leaves(test))) {
    const asked = expression(one, () => undefined);
    uses.set(asked, (uses.get(asked) ?? 0) + 1);
  }
  const repeated = [...uses].filter(([, count]) => count > 1).map(([asked], index) => [asked, `is_${index}`]);
  const names = new Map(repeated);
  const name = (test) => (test.name === undefined ? undefined : names.get(expression(test, () => undefined)));
  return { audiences: Object.fromEntries(repeated.map(([asked, name]) => [name, asked])), name };
}

const date = (milliseconds) => new Date(milliseconds).toISOString().replace(".000", "");

/** The manifest's text. */
export function manifest(slots, experiences) {
  const { audiences, name } = named(experiences);
  return JSON.stringify({
    site: { id: "bench", hosts: ["shop.example"], timezone: "Europe/Paris" },
    audiences,
    slots: Object.fromEntries(slots.map((slot) => [slot, { selector: `#${slot}` }])),
    experiences: experiences.map(({ id, slot, priority, pages, test, schedule }) => ({
      id,
      type: "personalization",
      audience: expression(test, name),
      priority,
      schedule: schedule && { from: date(schedule.from), until: date(schedule.until) },
      pages,
      slots: { [slot]: { text: id } },
    })),
  });
}
