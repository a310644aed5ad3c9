// One case of CEL's test data through the author's module: what is expected, and what came.
import { zoneOffset, type Evaluated, type Author } from "../spec-wasm/checks.ts";
import type { Case } from "./suites.ts";
import { code, isNamed } from "./subset.ts";
import { canonical, sample, tagged, typeName, type Tagged } from "./values.ts";

/** A value with or without its static type, a type alone, or any error. */
export interface Expected {
  /** Whether the expression has an empty list or map. */
  isEmpty?: boolean;
  value?: Tagged | undefined;
  type?: string | undefined;
  error?: boolean;
}

/** What the data says of a case. */
export function expected(one: Case): Expected {
  const isConformance = one.id.startsWith("conformance/");
  // cel-go gives the reason why it refuses; that it does is what counts.
  if (one.evalError || (!isConformance && one.error)) return { error: true };
  const type = one.typedResult?.deducedType ? typeName(one.typedResult.deducedType) : one.type;
  const isEmpty = /\[\s*\]|\{\s*\}/.test(code(one.expr));
  const value = one.value ?? one.typedResult?.result;
  if (value) return { value: tagged(value), type, isEmpty };
  return one.checkOnly || !isConformance ? { type, isEmpty } : { value: { bool: true }, type };
}

/** What a case's names are bound to. Names that only need a type get some value of it. */
function bindings(one: Case): Record<string, unknown> {
  const source = code(one.expr);
  const isChecked = one.checkOnly || one.id.startsWith("checking/");
  const bound: Record<string, unknown> = {};
  for (const { name, ident } of one.typeEnv ?? []) {
    if (isChecked && isNamed(name, source)) bound[name] = sample(ident?.type);
  }
  for (const [name, { value }] of Object.entries(one.bindings ?? {})) {
    if (isNamed(name, source)) bound[name] = value && tagged(value);
  }
  return bound;
}

export function evaluate(author: Author, one: Case): Evaluated {
  return author.evaluate(one.expr, bindings(one), "", zoneOffset);
}

/**
 * Whether a static type is the one that CEL says. Two differences are ours: what is constant has the type of its value, where CEL
 * says dyn; the items of an empty list are dyn, where CEL infers them from their use.
 */
function isType(found: string, type: string, isEmpty: boolean): boolean {
  if (found === type || type === "dyn" || (isEmpty && found === "dyn")) return true;
  const [, outer, inner] = /^(list)\((.*)\)$/.exec(found) ?? [];
  return isEmpty && outer !== undefined && type.startsWith(`${outer}(`) && isType(inner!, type.slice(outer.length + 1, -1), isEmpty);
}

/** What is wrong with a result; `undefined` when nothing is. */
export function problem(found: Evaluated, { value, type, error, isEmpty }: Expected): string | undefined {
  // Bindings that are refused say nothing of the expression.
  if (found.error?.kind === "bindings") return `bindings: ${found.error.message}`;
  if (error) return found.error ? undefined : `got ${JSON.stringify(found)}, expected an error`;
  if (found.error && (value || found.error.kind !== "evaluation")) return `${found.error.kind} error: ${found.error.message}`;
  if (value && (found.value === undefined || canonical(found.value) !== canonical(value))) {
    return `got ${JSON.stringify(found.value ?? found)}, expected ${JSON.stringify(value)}`;
  }
  if (type !== undefined && found.type !== undefined && !isType(found.type, type, isEmpty ?? false)) return `the type is ${found.type}, expected ${type}`;
  return undefined;
}
