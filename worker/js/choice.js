// What a visitor said of each purpose, as a statement: `choice`, the status of each purpose by its name (`granted`, `refused`, `withdrawn`;
// absent where nobody asked), the wording's `version`, `at` (epoch milliseconds), and `by` whom (`visitor`, `platform`, `default`); where a
// platform said it, `own` are the purposes that the visitor had refused the site itself. The Rust side reads and writes the same cookie
// (src/consent.rs).

/** What a consent is given for, in the order in which a choice names them. */
export const PURPOSES = ["personalization", "analytics", "marketing"];

/** What a purpose can be, the least strict first. */
const STATUSES = ["granted", "refused", "withdrawn"];

/** What stands before a purpose's name in the cookie. */
const MARKS = { granted: "", refused: "-", withdrawn: "~" };
const BY = { v: "visitor", p: "platform", d: "default" };

/** The latest instant that a cookie can say, in seconds: it is the browser's word. */
const LATEST_S = 2 ** 40;

/** The largest version of a wording. */
const MOST_VERSION = 2 ** 32 - 1;

/** Of two statuses the stricter one; either may be absent. */
const stricter = (one, other) => (STATUSES.indexOf(one) > STATUSES.indexOf(other) ? one : other);

/** The statement in a cookie's value; undefined when it is none of ours. */
export function readChoice(value) {
  const [format, ...parts] = (value ?? "").split(".");
  const [version, seconds, by] = format === "v2" ? parts.splice(-3) : ["1", "0", "v"];
  const choice = {};
  const own = new Set();
  for (const part of parts) {
    const [, isOwn, mark, purpose] = /^(!(?=[-~]))?([-~]?)(\w+)$/.exec(part) ?? [];
    if (!PURPOSES.includes(purpose) || (format === "v1" && mark !== "")) {
      return undefined;
    }
    if (isOwn && by === "p") {
      own.add(purpose);
    }
    choice[purpose] = stricter(choice[purpose], STATUSES.find((status) => MARKS[status] === mark));
  }
  // Before there were words for it, what was not granted was refused.
  PURPOSES.filter((purpose) => format === "v1" && choice[purpose] === undefined).forEach((purpose) => (choice[purpose] = "refused"));
  const isGood = ["v1", "v2"].includes(format) && /^\d{1,15}$/.test(version) && /^\d{1,15}$/.test(seconds) && Number(version) <= MOST_VERSION && Object.hasOwn(BY, by);
  return isGood ? { choice, version: Number(version), at: Math.min(Number(seconds), LATEST_S) * 1000, by: BY[by], ...(own.size > 0 && { own: [...own] }) } : undefined;
}

/** The cookie's value for a statement. */
export function writeChoice({ choice, version, at, by, own = [] }) {
  const of = (status) => PURPOSES.filter((purpose) => choice[purpose] === status).map((purpose) => (own.includes(purpose) ? "!" : "") + MARKS[status] + purpose);
  const [mark] = Object.entries(BY).find(([, name]) => name === by) ?? ["v"];
  return ["v2", ...STATUSES.flatMap(of), version, Math.floor(at / 1000), mark].join(".");
}

/**
 * What holds of several: for each purpose the strictest, as a row `{ purpose, status, at, version, by }`, of the same the newest; in the order
 * of the purposes.
 */
export function joined(rows) {
  return PURPOSES.flatMap((purpose) => {
    const all = rows.filter((row) => row.purpose === purpose);
    const rank = (row) => STATUSES.indexOf(row.status);
    const before = (a, b) => rank(b) - rank(a) || b.at - a.at || b.version - a.version || (a.by < b.by ? -1 : 1);
    return all.sort(before).slice(0, 1).map(({ status, at, version, by }) => ({ purpose, status, at, version, by }));
  });
}

/** The statement of rows that one browser said at once; undefined of none. */
export function statementOf(rows) {
  if (rows.length === 0) {
    return undefined;
  }
  const [first] = rows;
  const { by } = rows.find((row) => row.by === "platform") ?? first;
  const own = rows.filter((row) => by === "platform" && row.by === "visitor").map(({ purpose }) => purpose);
  const choice = Object.fromEntries(rows.map(({ purpose, status }) => [purpose, status]));
  return { choice, version: first.version, at: first.at, by, ...(own.length > 0 && { own }) };
}

/** A statement as rows. */
export const rowsOf = ({ choice, at, version, by, own = [] }) =>
  PURPOSES.filter((purpose) => STATUSES.includes(choice[purpose])).map((purpose) => ({ purpose, status: choice[purpose], at, version, by: own.includes(purpose) ? "visitor" : by }));

/** A statement where further rows hold too: nothing of it becomes less strict. What nobody asked is refused where it is refused elsewhere. */
export function strictest(statement, rows) {
  const choice = { ...statement.choice };
  for (const { purpose, status } of rows.filter((row) => row.status !== "granted")) {
    choice[purpose] = stricter(choice[purpose], status);
  }
  return { ...statement, choice };
}

/** Whether two statements say the same of the purposes, of the same wording, by the same. */
export function isSame(one, other) {
  return one?.version === other?.version && one?.by === other?.by && PURPOSES.every((purpose) => one?.choice[purpose] === other?.choice[purpose]);
}
