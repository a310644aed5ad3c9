// One event as somebody sent it, checked field by field, in the shape that is stored (docs/events.md#what-is-stored).

import { isMap } from "../json.js";
import { EARLIEST, LONGEST_ID, LONGEST_NAME, LONGEST_WAIT_MS, MOST_EVENT_BYTES, flaw, isLonger, step } from "./limits.js";

const TYPES = ["page", "track", "identify", "group", "alias", "exposure"];

/** The fields of an event of our own format. */
const FIELDS = new Set("type event name messageId anonymousId userId previousId groupId timestamp properties traits context".split(" "));

/** What of the context is kept: nothing of the device, and no address of the network. */
const PAGE = { url: 2048, referrer: 2048, title: 300, path: 1024, search: 1024 };
const CAMPAIGN = { name: 200, source: 200, medium: 200, term: 200, content: 200, id: 200 };
const CONTEXT = { locale: 35, timezone: 64 };

/** What is wrong with an event: a code for programs, words for people, and where in the body. */
class Bad extends Error {
  constructor(code, message, path) {
    super(message);
    Object.assign(this, { code, path });
  }
}

function text(raw, name, longest, isNeeded = false) {
  const value = raw[name];
  if (value === undefined && !isNeeded) {
    return undefined;
  }
  if (typeof value !== "string" || value === "" || value.length > longest) {
    const code = value === undefined ? "missing_field" : "bad_field";
    throw new Bad(code, `Expected \`${name}\` to be text of 1 to ${longest} characters.`, `/${name}`);
  }
  return value;
}

function map(raw, name) {
  const value = raw[name];
  if (value !== undefined && !isMap(value)) {
    throw new Bad("bad_field", `Expected \`${name}\` to be an object.`, `/${name}`);
  }
  return value;
}

/** The texts of an object that have these names; what is longer is left out. Undefined when there is none. */
function texts(object, longest) {
  const found = Object.entries(longest).filter(([name, most]) => {
    const value = object?.[name];
    return typeof value === "string" && value !== "" && value.length <= most;
  });
  return found.length === 0 ? undefined : Object.fromEntries(found.map(([name]) => [name, object[name]]));
}

/** RFC 3339, or a date alone. */
const INSTANT = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d))?$/;

/** Epoch milliseconds; NaN for what is no instant. */
function instantOf(value) {
  if (typeof value === "number") {
    return Number.isFinite(value) ? Math.round(value) : NaN;
  }
  return typeof value === "string" && INSTANT.test(value) ? Date.parse(value.replace(" ", "T")) : NaN;
}

/**
 * When an event was: its own time, set right by how far the sender's clock was from ours when it sent it. What would be in the future,
 * before this century, or of a sender without a secret older than anything waits on a device, was when it came.
 */
export function timeOf(timestamp, sentAt, receivedAt, isTrusted) {
  const [said, sent] = [instantOf(timestamp), instantOf(sentAt)];
  const at = Number.isNaN(sent) ? said : said + (receivedAt - sent);
  const earliest = isTrusted ? EARLIEST : Math.max(EARLIEST, receivedAt - LONGEST_WAIT_MS);
  return at >= earliest && at <= receivedAt ? at : receivedAt;
}

/** The purposes that an event says its visitor agreed to, as Segment's clients say it; undefined when it says nothing. */
function agreedTo(context) {
  const preferences = context?.consent?.categoryPreferences;
  return isMap(preferences) ? Object.keys(preferences).filter((name) => preferences[name] === true) : undefined;
}

function contextOf(context) {
  const kept = { ...texts(context, CONTEXT) };
  const [page, campaign] = [texts(context?.page, PAGE), texts(context?.campaign, CAMPAIGN)];
  if (page !== undefined) {
    kept.page = page;
  }
  if (campaign !== undefined) {
    kept.campaign = campaign;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

function checked(raw, { isOwn, isSmall, receivedAt, sentAt, isTrusted }) {
  if (!isMap(raw)) {
    throw new Bad("bad_event", "Expected an event: an object with `type`.", "");
  }
  const flawed = flaw(raw, 1);
  if (flawed !== undefined) {
    throw new Bad(...flawed);
  }
  if (!isSmall && isLonger(JSON.stringify(raw), MOST_EVENT_BYTES)) {
    throw new Bad("too_large", `Expected ${MOST_EVENT_BYTES / 1024} KB of JSON at most.`, "");
  }
  const unknown = isOwn ? Object.keys(raw).find((name) => !FIELDS.has(name)) : undefined;
  if (unknown !== undefined) {
    throw new Bad("unknown_field", `Expected the fields ${[...FIELDS].join(", ")}.`, step(unknown));
  }
  if (!TYPES.includes(raw.type)) {
    throw new Bad(raw.type === undefined ? "missing_field" : "bad_field", `Expected \`type\` to be one of ${TYPES.join(", ")}.`, "/type");
  }
  if (raw.timestamp !== undefined && Number.isNaN(instantOf(raw.timestamp))) {
    throw new Bad("bad_field", "Expected `timestamp` to be an instant such as 2026-11-20T12:30:00Z, or epoch milliseconds.", "/timestamp");
  }
  const isTrack = raw.type === "track";
  const context = map(raw, "context");
  const event = {
    messageId: text(raw, "messageId", LONGEST_ID) ?? crypto.randomUUID(),
    type: raw.type,
    event: text(raw, "event", LONGEST_NAME, isTrack),
    name: text(raw, "name", LONGEST_NAME),
    anonymousId: text(raw, "anonymousId", LONGEST_ID),
    userId: text(raw, "userId", LONGEST_ID),
    previousId: text(raw, "previousId", LONGEST_ID, raw.type === "alias"),
    groupId: text(raw, "groupId", LONGEST_ID, raw.type === "group"),
    timestamp: timeOf(raw.timestamp, raw.sentAt ?? sentAt, receivedAt, isTrusted),
    receivedAt,
    properties: map(raw, "properties"),
    traits: map(raw, "traits"),
    context: contextOf(context),
  };
  if (raw.type === "alias" && event.userId === undefined) {
    throw new Bad("missing_field", "Expected `userId`: whom `previousId` is.", "/userId");
  }
  return { event, preferences: agreedTo(context) };
}

/**
 * An event as it was sent, as the one that is stored (`event`: fields that are absent are undefined), and the purposes that it says it
 * has a consent for (`preferences`); or what is wrong with it (`error`, with `code`, `message` and `path`). `given`: `isOwn`, our
 * own format; `isSmall`, no event of the body can be too large; `receivedAt` and the body's `sentAt`; `isTrusted`, who sent it holds
 * a secret of the site's.
 */
export function readEvent(raw, path, given) {
  try {
    return checked(raw, given);
  } catch (error) {
    if (!(error instanceof Bad)) {
      throw error;
    }
    return { error: { code: error.code, message: error.message, path: path + error.path } };
  }
}
