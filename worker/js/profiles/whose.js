// Whose an event is. Two answers there are, as a doubt is settled the other way each time: what may be somebody else's is not given out to
// somebody who asks what is held of them; and what may be theirs does not stay where they are erased.

import { isMap } from "../json.js";

/** Who is meant by keys of profiles: the ids of their browsers and of their users, and `words`, one of which stands in all JSON that is theirs. */
export function subjectsOf(keys) {
  const ids = (kind) => keys.filter((key) => key.startsWith(kind)).map((key) => key.slice(2));
  const [browsers, users] = [ids("a:"), ids("u:")];
  return { keys, browsers, users, words: [...browsers, ...users].map((id) => JSON.stringify(id).slice(1, -1)) };
}

/** The event in what waits for a sink: of a webhook's message its data, which is an event or says who entered an audience. */
export const eventIn = (message) => (isMap(message.data) ? message.data : message);

/**
 * Whether somebody may read an event. What was done in a user's name in a browser is that user's alone: another one may have had it before, or
 * after.
 */
export function mayRead({ browsers, users }, { anonymousId, userId, previousId }) {
  return (userId === undefined ? browsers.includes(anonymousId) : users.includes(userId)) || users.includes(previousId);
}

/**
 * Whether an event is to go with somebody. What another user did in a browser that they had too is not, where it is said whose browser it
 * was; a browser that is erased by itself goes with all that was done in it.
 */
export function isTheirs({ browsers, users }, { anonymousId, userId, previousId }) {
  const isTheirBrowser = browsers.includes(anonymousId) && (users.length === 0 || userId === undefined || users.includes(userId));
  return isTheirBrowser || users.includes(userId) || browsers.includes(previousId) || users.includes(previousId);
}
