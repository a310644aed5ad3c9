// The addresses that events are sent to, and which client's format is spoken there: what each calls a thing becomes one shape, which
// event.js then reads.

import { isMap } from "../json.js";

/** Kinds by what addresses call them: Segment's browser client has one letter for each. */
const KINDS = {
  i: "identify",
  identify: "identify",
  t: "track",
  track: "track",
  p: "page",
  page: "page",
  s: "page",
  screen: "page",
  g: "group",
  group: "group",
  a: "alias",
  alias: "alias",
};

const own = { isOwn: true, list: "events" };
const batch = { list: "batch" };

/** Formats by path below the base path. */
const FORMATS = new Map([
  ["collect", own],
  ["v1/batch", batch],
  // Segment's browser client where it is told to batch, RudderStack's where it is told to use beacons.
  ["v1/b", batch],
  ["beacon/v1/batch", batch],
  ...Object.entries(KINDS).map(([name, kind]) => [`v1/${name}`, { kind }]),
  ...["", "s2s/"].flatMap((prefix) => Object.values(KINDS).map((kind) => [`api/s/${prefix}${kind}`, { kind }])),
  ["api/s/screen", { kind: "page" }],
]);

/** What is spoken at a path below the base path; undefined where no events are taken. */
export const formatOf = (path) => FORMATS.get(path);

/** A text that stands for nothing is none; numbers are ids too. */
function idOf(value) {
  if (value === null || value === "") {
    return undefined;
  }
  return Number.isFinite(value) ? String(value) : value;
}

/** A page's parts that stand among an event's own properties, as servers send them. */
function pageOf(context, kind, properties) {
  if (kind !== "page" || !isMap(properties) || typeof context.page?.url === "string") {
    return context.page;
  }
  const { url, referrer, title } = properties;
  return { url, referrer, title, ...context.page };
}

/** An event of another client in our own words. What we have no word for is left out: addresses, user agents, screens, libraries. */
function ours(raw, kind, shared) {
  const context = { ...(isMap(shared) && shared), ...(isMap(raw.context) && raw.context) };
  const type = kind ?? (Object.hasOwn(KINDS, raw.type) ? KINDS[raw.type] : raw.type);
  const traits = isMap(raw.traits) && Object.keys(raw.traits).length > 0 ? raw.traits : type === "identify" ? (context.traits ?? raw.traits) : raw.traits;
  return {
    type,
    event: type === "track" ? raw.event : undefined,
    name: type === "page" ? (idOf(raw.name) ?? idOf(raw.properties?.name)) : undefined,
    messageId: idOf(raw.messageId),
    anonymousId: idOf(raw.anonymousId),
    userId: idOf(raw.userId),
    previousId: idOf(raw.previousId),
    groupId: idOf(raw.groupId),
    timestamp: raw.timestamp ?? raw.originalTimestamp ?? undefined,
    sentAt: raw.sentAt ?? undefined,
    properties: raw.properties ?? undefined,
    traits: traits ?? undefined,
    context: { ...context, page: pageOf(context, type, raw.properties) },
  };
}

/**
 * The events of a body, each as `[event, path]` with the place it has there, when it was sent (`sentAt`) and the key that the body
 * names (`writeKey`). Undefined when the body is no list of events.
 */
export function eventsOf(format, body) {
  if (!isMap(body)) {
    return undefined;
  }
  const { sentAt, writeKey } = body;
  if (format.list === undefined) {
    return { events: [[ours(body, format.kind), ""]], sentAt, writeKey };
  }
  const list = body[format.list];
  if (!Array.isArray(list)) {
    return undefined;
  }
  const event = (raw) => (format.isOwn || !isMap(raw) ? raw : ours(raw, undefined, body.context));
  return { events: list.map((raw, at) => [event(raw), `/${format.list}/${at}`]), sentAt, writeKey };
}
