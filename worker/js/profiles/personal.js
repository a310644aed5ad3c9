// What is personal, as the manifest declares it, is taken off an event before it goes where visitors are only measured.
//
// `personal` is `{ traits: [name, ..], properties: { event: [path, ..] } }`, as `program.consent` says it.

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** A value without what stands at a path; of a list each of its items without it. A name may hold dots itself. */
function without(value, path) {
  if (Array.isArray(value)) {
    return value.map((item) => without(item, path));
  }
  if (!isObject(value)) {
    return value;
  }
  const rest = { ...value };
  delete rest[path];
  const dot = path.indexOf(".");
  const name = dot < 0 ? undefined : path.slice(0, dot);
  if (name !== undefined && Object.hasOwn(rest, name)) {
    rest[name] = without(rest[name], path.slice(dot + 1));
  }
  return rest;
}

/** An event's properties without what is personal, of the event or of its products: a rule that reads the one reads the other too. */
function bareProperties(properties, paths) {
  const below = paths.map((path) => (path.startsWith("products.") ? path.slice("products.".length) : path));
  return below.reduce((rest, path) => without(without(rest, path), `products.${path}`), properties);
}

const bareTraits = (traits, names) => names.reduce((rest, name) => without(rest, name), traits);

/** What the plan calls an event: of what was done its name, else its type. */
const nameOf = ({ type, event }) => (type === "track" ? event : type);

/** Names that stand in the JSON of every event with something personal: those without are not looked at any closer. */
function wordsOf({ traits = [], properties = {} }) {
  const paths = [...traits, ...Object.values(properties).flat()];
  return paths.map((path) => `${JSON.stringify(path.slice(path.lastIndexOf(".") + 1)).slice(1)}:`);
}

/** A function that takes what is personal off an event: a line of JSON in and out, the same one where nothing is. */
export function barer(personal) {
  const { traits = [], properties = {} } = personal ?? {};
  const words = wordsOf({ traits, properties });
  return (line) => {
    if (!words.some((word) => line.includes(word))) {
      return line;
    }
    const event = JSON.parse(line);
    const bare = { ...event };
    const paths = Object.hasOwn(properties, nameOf(event)) ? properties[nameOf(event)] : [];
    if (isObject(event.properties)) {
      bare.properties = bareProperties(event.properties, paths);
    }
    if (isObject(event.traits)) {
      bare.traits = bareTraits(event.traits, traits);
    }
    if (isObject(event.context?.traits)) {
      bare.context = { ...event.context, traits: bareTraits(event.context.traits, traits) };
    }
    return JSON.stringify(bare);
  };
}
