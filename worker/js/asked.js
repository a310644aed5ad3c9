// What a page of the site asks of the Worker in its visitor's name: the body that it sends, and who asks. Who they are is told by their
// cookies, and where a user is logged in, proven once more by a token: whoever sits at the browser now need not be who logged in there. A page
// that decides for itself, on another host, has an id of its own, which nobody but its browser knows.

import { failure } from "./answer.js";
import { PURPOSES } from "./choice.js";
import { foreign } from "./events/ids.js";
import { LONGEST_ID } from "./events/limits.js";
import { readBody } from "./host.js";
import { isMap } from "./json.js";
import { visitorOf } from "./projection.js";
import { openedFor } from "./sealed.js";
import { userOf } from "./token.js";
import { wordsOf } from "./visitor.js";

/** Bytes of a body. */
const LARGEST = 16 * 1024;

/** Whether a visit is of somebody who looks at the site as somebody else, by a preview's link: nothing is kept or changed for them. */
export const isPreview = ({ overrides, env }) => overrides !== undefined && env.IDOINE_PREVIEW !== "local";

/** A failure with the headers of `response`, by which pages of the site's other hosts may read it. */
export function failed(response, status, code, message, more = {}) {
  return failure(status, code, message, { ...Object.fromEntries(response.headers), ...more });
}

/** The same where a token is needed, or not good. */
const unproven = (response, code, message) => failed(response, 401, code, message, { "www-authenticate": "Bearer" });

function parsed(bytes) {
  try {
    return bytes.length === 0 ? {} : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** What a field of a body can be, where it is there. */
const CAN_BE = {
  token: (value) => typeof value === "string",
  exported: (value) => typeof value === "boolean",
  anonymousId: (value) => typeof value === "string" && value !== "" && value.length <= LONGEST_ID,
  purposes: (value) => Array.isArray(value) && value.length > 0 && value.every((one) => PURPOSES.includes(one)),
  // Who asks for these looks at them.
  traits: () => true,
  after: () => true,
};

/**
 * The object in a request's body as `{ body }`, an empty one where there is no body, or `{ refused }`, the answer to one that is none or too
 * large. It has no other `fields` than these, each as it can be.
 */
export async function bodyOf({ request }, response, fields) {
  const bytes = Number(request.headers.get("content-length")) > LARGEST ? undefined : await readBody(request, LARGEST);
  if (bytes === undefined) {
    return { refused: failed(response, 413, "too_large", `The body is larger than ${LARGEST / 1024} KB.`) };
  }
  const body = parsed(bytes);
  const isGood = isMap(body) && Object.entries(body).every(([name, value]) => fields.includes(name) && CAN_BE[name](value));
  return isGood ? { body } : { refused: failed(response, 400, "bad_request", `Expected a JSON object with ${fields.map((name) => `\`${name}\``).join(", ")} at most, each of its type.`) };
}

/** The `user` whom a token proves, or `refused`, the answer to one that is not good. */
export async function provenBy({ env, site }, response, token) {
  const { user, wrong } = await userOf(token, wordsOf(env.IDOINE_IDENTITY_SECRET), site.id, Date.now());
  return user === undefined ? { refused: unproven(response, "bad_token", `The identity token is not good. ${wrong}`) } : { user };
}

/**
 * Who asks, and what: `{ visitor, anonymousId, user, body }` (`visitorOf`; the id that their browser's profile is under; the user whom a token
 * proves just now, else undefined), or `refused`, the answer to who may not. `response` is what the Rust side says to who may; `fields` are those
 * that a body may have.
 */
export async function askedBy(visit, response, fields) {
  const { body, refused } = await bodyOf(visit, response, fields);
  if (refused !== undefined) {
    return { refused };
  }
  const visitor = await visitorOf(visit);
  // As events are stored that say it: in the namespace where nobody's signed id is. Who knows it is who made it up.
  const anonymousId = visitor?.id ?? (body.anonymousId && (await foreign(body.anonymousId)));
  // Whatever was agreed to since they logged in: it is about what is there.
  const known = (await openedFor(visit, visitor?.id))?.user;
  if (body.token === undefined) {
    return !known ? { visitor, anonymousId, body } : { refused: unproven(response, "token_needed", "A user is logged in here: send their identity token, made anew, as `token`.") };
  }
  const proof = await provenBy(visit, response, body.token);
  const isAnother = proof.user !== undefined && known && known !== proof.user;
  return isAnother ? { refused: unproven(response, "bad_token", "The identity token is for another user than the one who is logged in here.") } : { visitor, anonymousId, body, ...proof };
}
