// Between the JSON of CEL's test data and the tagged values of the tools.
import type { CelType, CelValue } from "./suites.ts";

/** A value as the tools take and give it, such as `{ int: "42" }`. */
export type Tagged = Record<string, unknown>;

const TYPE = "type.googleapis.com/google.protobuf.";

/** The tagged value; `undefined` for values of types that we do not have. */
export function tagged(value: CelValue): Tagged | undefined {
  if (value.boolValue !== undefined) return { bool: value.boolValue };
  if (value.int64Value !== undefined) return { int: value.int64Value };
  if (value.uint64Value !== undefined) return { uint: value.uint64Value };
  if (value.doubleValue !== undefined) return { double: value.doubleValue };
  if (value.stringValue !== undefined) return { string: value.stringValue };
  if (value.objectValue?.["@type"] === `${TYPE}Timestamp`) return { timestamp: value.objectValue.value };
  if (value.objectValue?.["@type"] === `${TYPE}Duration`) return { duration: value.objectValue.value };
  if (value.listValue) return whole("list", (value.listValue.values ?? []).map(tagged));
  if (value.mapValue) return whole("map", (value.mapValue.entries ?? []).map((entry) => pair(tagged(entry.key), tagged(entry.value))));
  return undefined;
}

function pair(key: Tagged | undefined, value: Tagged | undefined): [Tagged, Tagged] | undefined {
  return key && value && [key, value];
}

function whole(tag: string, parts: unknown[]): Tagged | undefined {
  return parts.includes(undefined) ? undefined : { [tag]: parts };
}

const PRIMITIVES: Record<string, string> = { BOOL: "bool", INT64: "int", UINT64: "uint", DOUBLE: "double", STRING: "string", BYTES: "bytes" };
const MESSAGES: Record<string, string> = { "google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration" };

/** The name of a type; `undefined` for types that we do not have. */
export function typeName(type: CelType | undefined): string | undefined {
  if (!type) return undefined;
  if ("dyn" in type) return "dyn";
  if (type.primitive) return PRIMITIVES[type.primitive] === "bytes" ? undefined : PRIMITIVES[type.primitive];
  if (type.wellKnown) return { TIMESTAMP: "timestamp", DURATION: "duration" }[type.wellKnown];
  if (type.messageType) return MESSAGES[type.messageType];
  if (type.listType) return list(typeName(type.listType.elemType));
  if (type.mapType) return map(typeName(type.mapType.keyType), typeName(type.mapType.valueType));
  return undefined;
}

const list = (element: string | undefined) => element && `list(${element})`;
const map = (key: string | undefined, value: string | undefined) => key && value && `map(${key}, ${value})`;

/** Some value of a type, for cases that are checked and not evaluated. */
export function sample(type: CelType | undefined): Tagged | undefined {
  const name = typeName(type);
  if (type?.listType) return whole("list", [sample(type.listType.elemType)]);
  if (type?.mapType) return whole("map", [pair(sample(type.mapType.keyType), sample(type.mapType.valueType))]);
  const samples: Record<string, Tagged> = {
    bool: { bool: true }, int: { int: "1" }, uint: { uint: "1" }, double: { double: 1 }, string: { string: "a" },
    timestamp: { timestamp: "2026-01-01T00:00:00Z" }, duration: { duration: "1s" },
  }; // prettier-ignore
  return samples[name ?? ""];
}

const UNITS: Record<string, bigint> = { h: 3_600_000_000_000n, m: 60_000_000_000n, s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, "µs": 1_000n, ns: 1n };

/** Nanoseconds of a duration such as `1h30m`, `90s` or `-1.5s`. */
function nanoseconds(text: string): bigint {
  let sum = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(/(\d+)(?:\.(\d+))?(h|ms|us|µs|ns|m|s)/g)) {
    const size = UNITS[unit] ?? 0n;
    sum += BigInt(whole) * size + (BigInt(fraction.padEnd(9, "0").slice(0, 9)) * size) / 1_000_000_000n;
  }
  return text.startsWith("-") ? -sum : sum;
}

/** Text that is equal exactly when two tagged values are the same. */
export function canonical(value: unknown): string {
  const [tag, content] = Object.entries(value as Tagged)[0] ?? ["", ""];
  if (tag === "list") return `list[${(content as unknown[]).map(canonical).join(",")}]`;
  if (tag === "map") {
    const entries = (content as [unknown, unknown][]).map(([key, inner]) => `${canonical(key)}:${canonical(inner)}`);
    return `map{${entries.sort().join(",")}}`;
  }
  if (tag === "double") {
    const number = typeof content === "number" ? content : Number(content);
    return `double(${Object.is(number, -0) ? "-0" : number})`;
  }
  if (tag === "duration") return `duration(${nanoseconds(String(content))})`;
  // Fractions of seconds may be written with more zeros or fewer.
  if (tag === "timestamp") return `timestamp(${String(content).replace(/(\.\d*?)0*Z$/, "$1Z").replace(".Z", "Z")})`;
  return `${tag}(${JSON.stringify(content)})`;
}
