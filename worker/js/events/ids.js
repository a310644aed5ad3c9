// Whose an event is. A browser's own id is the one in its cookie, which is signed; a server may name anyone. What any other sender calls a
// visitor is kept in a namespace of its own: nobody can write into the profile of a cookie that they do not have.

import { shortDigest } from "../digest.js";
import { checkedId } from "../visitor.js";

/** The id in a value that was signed by us, such as a cookie's that a server was sent; undefined when it is none. */
async function signed(env, value) {
  return value?.includes(".") && env.IDOINE_KEY ? (await checkedId(env, value))?.id : undefined;
}

/** The id that stands for what somebody calls a visitor. */
export const foreign = async (name) => `x-${await shortDigest(name)}`;

/** An event with the ids that it is stored under. `visitor` is the one of the request's cookies. */
export async function identified({ env }, event, { isTrusted, visitor }) {
  const { anonymousId: name, previousId: previous } = event;
  const read = async (given) => (given === undefined ? undefined : ((await signed(env, given)) ?? (isTrusted ? given : await foreign(given))));
  const anonymousId = isTrusted ? await read(name) : (visitor?.id ?? (await read(name)));
  // What is done in a browser where somebody is logged in is done by them, whether their client says so or not. What was done before, and
  // comes late or once more, is the anonymous profile's, where it may be known already.
  const isTheirs = visitor?.user && event.timestamp >= visitor.since;
  const userId = event.userId ?? (isTheirs ? visitor.user : undefined);
  return { ...event, anonymousId, userId, previousId: previous !== undefined && previous === name ? anonymousId : await read(previous) };
}

/**
 * Another id of ours that a browser sends with its events than the one in its cookie: it was given two, as it first asked for two things at
 * once. Undefined when it sends none.
 */
export async function otherOf({ env }, { anonymousId }, { isTrusted, visitor }) {
  const other = isTrusted || visitor === undefined ? undefined : await signed(env, anonymousId);
  return other === visitor?.id ? undefined : other;
}
