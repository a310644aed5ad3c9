// Random expressions over a handful of fields, as trees and as the text of the manifest.

import type { Dice } from "../support/dice.ts";
import type { Comparison, Expr, Told } from "./manifest.ts";

type Kind = "bool" | "int" | "string" | "strings";

/** What is told of visitors, with values that expressions ask for. */
export const FIELDS: readonly { path: string; kind: Kind; values: readonly Exclude<Told, null>[] }[] = [
  { path: "device.save_data", kind: "bool", values: [true, false] },
  { path: "geo.is_eu", kind: "bool", values: [true, true, false] },
  { path: "visitor.returning", kind: "bool", values: [true, false] },
  { path: "consent.analytics", kind: "bool", values: [] },
  { path: "profile.member", kind: "bool", values: [true, true, false] },
  { path: "network.asn", kind: "int", values: [0, 1, 3215, 60729] },
  { path: "profile.score", kind: "int", values: [-5, 0, 9, 10, 11] },
  { path: "profile.number", kind: "int", values: [0, 7, 12345, -1] },
  { path: "geo.country", kind: "string", values: ["FR", "DE", "US"] },
  { path: "profile.segment", kind: "string", values: ["été", "new", "old", "Z"] },
  { path: "profile.plan", kind: "string", values: ["free", "pro"] },
  { path: "profile.account", kind: "string", values: ["acme", "globex", "société générale", "日本"] },
  { path: "language.accepted", kind: "strings", values: [["fr", "en"], ["de"], ["en-GB", "en", "fr"]] },
  { path: "profile.tags", kind: "strings", values: [["a"], ["a", "b"], ["fr", "c"]] },
];

/** The traits among the fields, declared. */
export const TRAITS = {
  member: { type: "bool", purpose: "personalization" },
  score: { type: "int", purpose: "marketing" },
  number: { type: "int", purpose: "analytics" },
  segment: { type: "string", purpose: "personalization" },
  plan: { type: "string", purpose: "analytics" },
  account: { type: "string", purpose: "marketing" },
  tags: { type: "strings", purpose: "analytics" },
} as const;

const ofKind = (dice: Dice, ...kinds: Kind[]): (typeof FIELDS)[number] => dice.of(FIELDS.filter(({ kind }) => kinds.includes(kind)));
const literal = (value: boolean | number | string): Expr => ({ op: "literal", value });

/** A boolean expression of at most so many levels. */
export function expression(dice: Dice, levels: number, audiences: readonly string[]): Expr {
  const inner = (): Expr => expression(dice, levels - 1, audiences);
  if (levels > 0 && dice.percent(45)) {
    if (dice.percent(20)) return { op: "not", of: inner() };
    return { op: dice.percent(50) ? "and" : "or", of: Array.from({ length: 2 + dice.below(2) }, inner) };
  }
  if (audiences.length > 0 && dice.percent(20)) return { op: "audience", name: dice.of(audiences) };
  if (dice.percent(12)) return { op: "has", path: dice.of(FIELDS.filter(({ path }) => path.startsWith("profile."))).path };
  if (dice.percent(30)) return { op: "field", path: ofKind(dice, "bool").path };
  if (dice.percent(20)) {
    const { path, values } = ofKind(dice, "strings");
    return { op: "in", left: dice.percent(70) ? literal(dice.of(dice.of(values as string[][]))) : { op: "field", path: ofKind(dice, "string").path }, list: { op: "field", path } };
  }
  const { path, kind, values } = ofKind(dice, "int", "string", "string");
  const left: Expr = { op: "field", path };
  const value = (): Expr => (dice.percent(85) ? literal(dice.of(values as (number | string)[])) : { op: "field", path: ofKind(dice, kind).path });
  if (dice.percent(25)) return { op: "in", left, list: Array.from({ length: 1 + dice.below(3) }, value) };
  return { op: dice.of<Comparison>(["==", "==", "!=", "<", "<=", ">", ">="]), left, right: value() };
}

/** An expression as it is written. */
export function written(expr: Expr): string {
  switch (expr.op) {
    case "literal":
      return typeof expr.value === "string" ? `'${expr.value}'` : String(expr.value);
    case "field":
      return expr.path;
    case "has":
      return `has(${expr.path})`;
    case "audience":
      return expr.name;
    case "not":
      return `!(${written(expr.of)})`;
    case "and":
    case "or":
      return `(${expr.of.map(written).join(expr.op === "and" ? " && " : " || ")})`;
    case "in":
      return `${written(expr.left)} in ${Array.isArray(expr.list) ? `[${expr.list.map(written).join(", ")}]` : written(expr.list)}`;
    default:
      return `${written(expr.left)} ${expr.op} ${written(expr.right)}`;
  }
}
