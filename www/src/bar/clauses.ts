/** Why an experience lost, in full: what the step looked at, and every clause of its audience with the values that it read. */
import { h } from "../element.ts";
import { readingWords, stepWords, type Reading, type Step } from "./steps.ts";

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
const TRUTHS = { true: "true", false: "false", unknown: "not known", denied: "no consent" } as const;

/** What there is to say beside the reason; `undefined` where the reason says all. */
export function whyInFull({ reason, by, step, audience }: Explained): HTMLElement | undefined {
  const words = step === undefined ? undefined : stepWords(reason, step, by);
  const read = step?.missing?.map(readingWords).join(", ");
  const clauses = audience !== undefined && ["audience", "unknown", "no_consent"].includes(reason) ? audience : undefined;
  if (!words && !read && !clauses) return undefined;
  return h(
    "div",
    { class: "why" },
    words !== undefined && h("p", {}, words),
    read !== undefined && h("p", {}, `Its content needs what is missing: ${read}.`),
    clauses && h("ul", { class: "clauses", "aria-label": "Audience" }, clauseItem(clauses)),
  );
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
