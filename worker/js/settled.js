// What holds in a browser once the shards have said what its user said elsewhere, and the cookies that it is given for it.

import { purposesOf } from "./agreed.js";
import { isSame, strictest, writeChoice } from "./choice.js";
import { dropped, refreshed, slotsChanged } from "./projection.js";
import { CONSENT, ID, MAX_AGE_S, PROJECTION, choiceOf, cookieOf, setCookie } from "./visitor.js";

/** A visit as it will be when the browser has these cookies too: what its next request brings. */
export function visitAfter(visit, cookies, to = visit.url) {
  const jar = new Map();
  const put = (pair) => {
    const [name, value] = [pair.slice(0, pair.indexOf("=")).trim(), pair.slice(pair.indexOf("=") + 1)];
    if (name.startsWith("idoine_")) {
      jar.set(name, value);
    }
  };
  // Of a name that comes twice the first counts.
  (visit.request.headers.get("cookie") ?? "").split(";").reverse().forEach(put);
  cookies.forEach((cookie) => put(cookie.split(";", 1)[0]));
  const headers = new Headers(visit.request.headers);
  headers.set("cookie", [...jar].filter(([, value]) => value !== "").map((pair) => pair.join("=")).join("; "));
  return { ...visit, url: to, request: new Request(to, { headers, cf: visit.request.cf }) };
}

/** `Set-Cookie` headers, of each name the last. */
export const lastOfEach = (cookies) => [...new Map(cookies.map((cookie) => [cookie.slice(0, cookie.indexOf("=")), cookie])).values()];

/** The cookie of a choice: the page reads it too. */
function choiceCookie(visit, statement) {
  const age = statement.at === 0 ? 0 : Math.max(0, Math.floor((Date.now() - statement.at) / 1000));
  return setCookie(visit, CONSENT, writeChoice(statement), Math.max(MAX_AGE_S - age, 1)).replace("; HttpOnly", "");
}

/**
 * The statement that holds in a visit's browser, where that is another one than its cookie says; undefined where it is not. `told` is what
 * the shards say (`toldTo` of profiles/choices.js): what the browser said itself counts where it is as new as the cookie, which may say what
 * was refused elsewhere and is granted there again.
 */
function settled(visit, told) {
  const { request } = visit;
  const said = choiceOf(request);
  const others = told.flatMap((one) => one?.others ?? []);
  if (said === undefined) {
    // Nobody chose here: what holds unless they refuse is refused where they did so elsewhere.
    const refused = others.filter(({ purpose, status }) => status !== "granted" && purposesOf(visit).includes(purpose));
    const [{ at, version } = {}] = refused;
    return refused.length === 0 ? undefined : strictest({ choice: {}, at, version, by: "default" }, refused);
  }
  const [own] = told.flatMap((one) => one?.own ?? []).sort((a, b) => b.at - a.at);
  // What has no time may be newer than anything.
  const isOwn = own !== undefined && said.at > 0 && own.at + 999 >= said.at;
  const statement = strictest(isOwn ? own : said, others);
  return isSame(statement, said) ? undefined : statement;
}

/**
 * What follows for a visitor (`visitorOf`) from the shards' answer, `{ projection, told }` of `give`. `cookies`, the `Set-Cookie` headers: the choice,
 * where it is stricter than the browser has it, what follows from it, and the projection. `slots`, what the page may decide again: those that read
 * something of the profile that changed, where the visitor agreed to that. `isProven`: a token has just proved who the user is.
 */
export async function whatFollows(visit, visitor, { projection, told }, isProven = false) {
  const statement = told === undefined ? undefined : settled(visit, told);
  const choice = statement === undefined ? [] : [choiceCookie(visit, statement)];
  const purposes = statement === undefined ? visitor.purposes : purposesOf(visitAfter(visit, choice));
  if (statement !== undefined && purposes.length === 0) {
    choice.push(setCookie(visit, ID, "", 0));
  }
  if (!purposes.includes("personalization")) {
    const isTaken = statement !== undefined && cookieOf(visit.request, PROJECTION) !== undefined;
    return { cookies: isTaken ? [...choice, dropped(visit)] : choice, slots: [] };
  }
  if (projection === undefined) {
    return { cookies: choice, slots: [] };
  }
  return { cookies: [...choice, ...(await refreshed(visit, visitor, projection, isProven))], slots: slotsChanged(visit, visitor, projection) };
}
