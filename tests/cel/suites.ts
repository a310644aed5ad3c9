// CEL's own test data, flat: the conformance suite of the specification, and what cel-go tests its parser, its checker and its
// comprehensions with.
import { tests as checking } from "@bufbuild/cel-spec/testdata/checking.js";
import { tests as comprehension } from "@bufbuild/cel-spec/testdata/comprehension.js";
import { tests as conformance } from "@bufbuild/cel-spec/testdata/conformance.js";
import { tests as parsing } from "@bufbuild/cel-spec/testdata/parsing.js";

/** A value in the JSON of `cel.expr.Value`. */
export interface CelValue {
  boolValue?: boolean;
  int64Value?: string;
  uint64Value?: string;
  doubleValue?: number | string;
  stringValue?: string;
  listValue?: { values?: CelValue[] };
  mapValue?: { entries?: { key: CelValue; value: CelValue }[] };
  objectValue?: { "@type": string; value?: unknown };
  nullValue?: null;
  bytesValue?: string;
  typeValue?: string;
  enumValue?: unknown;
}

/** A type in the JSON of `cel.expr.Type`. */
export interface CelType {
  primitive?: string;
  wellKnown?: string;
  messageType?: string;
  listType?: { elemType?: CelType };
  mapType?: { keyType?: CelType; valueType?: CelType };
  [other: string]: unknown;
}

/** One case as the data has it. */
export interface Case {
  /** Suite, section and name, such as `conformance/logic/AND/all_true`; unique. */
  id: string;
  expr: string;
  container?: string;
  typeEnv?: { name: string; ident?: { type?: CelType }; function?: unknown }[];
  bindings?: Record<string, { value?: CelValue }>;
  value?: CelValue;
  typedResult?: { result?: CelValue; deducedType?: CelType };
  evalError?: object;
  checkOnly?: boolean;
  disableCheck?: boolean;
  /** The tree with the type of every part, as cel-go prints it; absent when it refuses the expression. */
  checkedAst?: string;
  /** The type of the whole. */
  type?: string;
  /** Why cel-go refuses the expression. */
  error?: string;
}

interface Suite {
  name: string;
  suites?: Suite[];
  tests?: { original: Omit<Case, "id"> & { name?: string }; checkedAst?: string; type?: string; error?: string }[];
}

function* flat(suite: Suite, path: string): Generator<Case> {
  const seen = new Map<string, number>();
  for (const { original, checkedAst, type, error } of suite.tests ?? []) {
    const name = original.name ?? original.expr.replace(/\s+/g, " ").trim();
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    const more = { ...(checkedAst !== undefined && { checkedAst }), ...(type !== undefined && { type }), ...(error !== undefined && { error }) };
    yield { ...original, ...more, id: `${path}/${name}${count > 1 ? ` (${count})` : ""}` };
  }
  for (const inner of suite.suites ?? []) yield* flat(inner, `${path}/${inner.name}`);
}

/** Every case there is. */
export const CASES: Case[] = [conformance, parsing, checking, comprehension].flatMap((suite) => [...flat(suite as unknown as Suite, (suite as unknown as Suite).name)]);

/** What a case belongs to: its id without its name. */
export function sectionOf({ id }: Case): string {
  const [suite, ...rest] = id.split("/");
  return suite === "conformance" ? `${suite}/${rest[0]}/${rest[1]}` : suite!;
}
