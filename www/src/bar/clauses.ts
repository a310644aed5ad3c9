/** Why an experience lost, in full: what the step looked at, and every clause of its audience with the values that it read. */
import { h } from "../element.ts";
import { readingWords, stepWords, type Reading, type Step } from "./steps.ts";
import { TRUTHS } from "./words.ts";

/** A part of an audience, and what it is for this visitor. */
export interface Clause {
  /** The part as an expression. */
  readonly text: string;
  readonly value: "true" | "false" | "unknown" | "denied";
  /** What failed. */
  readonly error?: string;
  /** How its parts go together. */
  readonly join?: "all" | "any" | "not" | "if" | "audience";
  readonly parts?: readonly Clause[];
  /** How many parts are not told. */
  readonly left_out?: number;
  readonly fields?: readonly Reading[];
}

/** What became of an experience. */
export interface Explained {
  readonly experience: string;
  readonly reason: string;
  readonly by?: string;
  readonly step?: Step;
  readonly audience?: Clause;
}

const JOINED = { all: "all of", any: "one of", not: "not", if: "by a condition" } as const;
const RESULTS = ["if", "then", "else"];

/** Reasons for which an audience is told: it was asked for, and is why the experience lost. */
const BY_AUDIENCE = ["audience", "unknown", "no_consent"];

/**
 * The clause on which it hung that one is not true: of what all has to be, the first that is as the whole; of what is by a condition, what the
 * condition came to. Of what one has to be it is all of it.
 */
export function decisive(clause: Clause): Clause {
  const { join, parts = [], value } = clause;
  const [first, second, third] = parts;
  if (join === "if") {
    const branch = first?.value === "true" ? second : first?.value === "false" ? third : first;
    return branch ? decisive(branch) : clause;
  }
  const part = join === "audience" ? first : join === "all" ? parts.find((one) => one.value === value) : undefined;
  return part ? decisive(part) : clause;
}

/** All that a clause and its parts read, each once. */
function readings({ fields = [], parts = [] }: Clause): string[] {
  return [...new Set([...fields.map(readingWords), ...parts.flatMap(readings)])];
}

/** The clause that failed and its values, in a line. */
export function brief(clause: Clause): HTMLElement {
  const failed = decisive(clause);
  const read = [...readings(failed), ...(failed.error === undefined ? [] : [failed.error])].join(", ");
  return h("p", { class: "brief" }, h("code", {}, failed.text), read !== "" && ` ${read}`);
}

/** The same of what an experience lost by; nothing where its audience was not why. */
export function briefOf({ reason, audience }: Explained): HTMLElement | undefined {
  return audience !== undefined && audience.value !== "true" && BY_AUDIENCE.includes(reason) ? brief(audience) : undefined;
}

/** What there is to say beside the reason; `undefined` where the reason says all. */
export function whyInFull({ reason, by, step, audience }: Explained): HTMLElement | undefined {
  const words = step === undefined ? undefined : stepWords(reason, step, by);
  const read = step?.missing?.map(readingWords).join(", ");
  const clauses = audience !== undefined && BY_AUDIENCE.includes(reason) ? audience : undefined;
  if (!words && !read && !clauses) return undefined;
  return h(
    "div",
    { class: "why" },
    words !== undefined && h("p", {}, words),
    read !== undefined && h("p", {}, `Its content needs what is missing: ${read}.`),
    clauses && clauseList(clauses, "Audience"),
  );
}

/** A clause as a list of its own. */
export function clauseList(clause: Clause, label: string): HTMLElement {
  return h("ul", { class: "clauses", "aria-label": label }, clauseItem(clause));
}

/** A clause, with those that it is made of inside. */
function clauseItem(clause: Clause, before = ""): HTMLElement {
  const { text, value, error, join, parts = [], left_out: leftOut = 0, fields = [] } = clause;
  const notes = [...fields.map(readingWords), ...(error === undefined ? [] : [error])];
  const inside = parts.map((part, index) => clauseItem(part, join === "if" ? (RESULTS[index] ?? "") : ""));
  if (leftOut > 0) inside.push(h("li", { class: "soft" }, `${leftOut} more ${leftOut === 1 ? "part is" : "parts are"} not shown.`));
  return h(
    "li",
    {},
    h(
      "div",
      { class: `clause ${value}` },
      h("span", { class: "truth" }, TRUTHS[value]),
      " ",
      before !== "" && h("span", { class: "soft" }, `${before} `),
      join === undefined || join === "audience" ? h("code", {}, text) : h("span", { class: "soft" }, JOINED[join]),
      notes.length > 0 && h("span", { class: "read" }, ` ${notes.join(", ")}`),
    ),
    inside.length > 0 && h("ul", {}, ...inside),
  );
}
