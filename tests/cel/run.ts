// One case of CEL's test data through the tools: what is expected, and what came.
import { zoneOffset, type Evaluated, type Tools } from "../spec-wasm/checks.ts";
import type { Case } from "./suites.ts";
import { code, isNamed } from "./subset.ts";
import { canonical, sample, tagged, typeName, type Tagged } from "./values.ts";

/** A value with or without its static type, a type alone, or any error. */
export interface Expected {
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
  const value = one.value ?? one.typedResult?.result;
  if (value) return { value: tagged(value), type };
  return one.checkOnly || !isConformance ? { type } : { value: { bool: true }, type };
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

export function evaluate(tools: Tools, one: Case): Evaluated {
  return tools.evaluate(one.expr, JSON.stringify(bindings(one)), zoneOffset);
}

/** What is wrong with a result; `undefined` when nothing is. */
export function problem(found: Evaluated, { value, type, error }: Expected): string | undefined {
  if (error) return found.error ? undefined : `got ${JSON.stringify(found)}, expected an error`;
  if (found.error && (value || found.error.kind !== "evaluation")) return `${found.error.kind} error: ${found.error.message}`;
  if (value && (found.value === undefined || canonical(found.value) !== canonical(value))) {
    return `got ${JSON.stringify(found.value ?? found)}, expected ${JSON.stringify(value)}`;
  }
  if (type !== undefined && found.type !== undefined && found.type !== type) return `the type is ${found.type}, expected ${type}`;
  return undefined;
}
