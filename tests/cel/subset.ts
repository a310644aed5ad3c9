// Which of CEL's cases fall in our subset: rules over the expression, its declared names, and the tree that cel-go printed, in
// which every part has its type.
import type { Case, CelType, CelValue } from "./suites.ts";
import { tagged, typeName } from "./values.ts";

/** Why a case is outside, and what that means. */
export const REASONS = {
  messages: "protobuf messages, their fields, enums, wrappers and Any",
  bytes: "the type bytes",
  null: "the value null and its type",
  types: "type() and types as values",
  regex: "regular expressions: matches()",
  optionals: "optional values",
  extension: "functions of extension libraries, other than lowerAscii, upperAscii, split and trim",
  "two-variables": "macros with two variables",
  container: "containers: names that are looked up in a namespace",
  unchecked: "evaluation of what the checker refuses",
  dyn: "names that are declared as dyn: ours have the types of their values",
  functions: "functions that the test declares",
  undeclared: "names that cel-go's test declares, and that the data leaves out",
  numbers: "comparisons of numbers of several types, which cel-go refuses to check unless asked to: we compare them, as CEL does",
  inference: "refusals for the types that cel-go infers of an empty list's items from their use: with us they are dyn",
  limits: "limits and options of cel-go's parser, as its test sets them",
} as const;

export type Why = keyof typeof REASONS;

/** The expression without comments and without what is in its strings; `b""` stays bytes. */
export function code(expr: string): string {
  const token = /\/\/[^\n]*|([rRbB]{0,2})("""[^]*?"""|'''[^]*?'''|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*')|(?:[A-Za-z0-9_]+)|[^]/g;
  const raw = /([rR][bB]?|[bB][rR])("""[^]*?"""|'''[^]*?'''|"[^"\n]*"|'[^'\n]*')/y;
  let out = "";
  for (let at = 0; at < expr.length; ) {
    raw.lastIndex = at;
    const before = expr[at - 1];
    const found = (before === undefined || !/\w/.test(before)) && raw.exec(expr);
    if (found) {
      out += /b/i.test(found[1]!) ? 'b""' : '""';
      at += found[0].length;
      continue;
    }
    token.lastIndex = at;
    const [text, prefix, string] = token.exec(expr)!;
    if (string !== undefined) out += /b/i.test(prefix ?? "") ? 'b""' : '""';
    else if (!text.startsWith("//")) out += text;
    at += text.length;
  }
  return out;
}

/** The tree without what is in its strings. */
function bare(ast: string): string {
  return ast.replace(/"(?:\\[^]|[^"\\])*"/g, '""').replace(/\/\/[^\n]*/g, "").replace(/\s+/g, " ");
}

/** Every type that the names in an expression are declared with. */
function declared({ typeEnv = [] }: Case, source: string): (CelType | undefined)[] {
  return typeEnv.filter(({ name, ident }) => ident && isNamed(name, source)).map(({ ident }) => ident?.type);
}

/** Whether an expression has a name, or the beginning of a dotted one. */
export function isNamed(name: string, source: string): boolean {
  return new RegExp(`(?<![\\w.])${name.split(".")[0]}\\b`).test(source);
}

/** Every value of a case. */
function values({ bindings = {}, value, typedResult }: Case): CelValue[] {
  return [...Object.values(bindings).map((binding) => binding.value), value, typedResult?.result].filter((one) => one !== undefined);
}

const EXTENSIONS = /\b(math|base64|cel|strings|proto|sets|lists|regex)\.@?\w+\(|\.(charAt|indexOf|lastIndexOf|join|replace|substring|reverse|format|quote|sort|sortBy|distinct|flatten|slice|first|last|transformList|transformMap|transformMapEntry|existsOne)\(/;

/** A message's literal (a name in front of a brace), or the name of a message or enum. */
const MESSAGES = /\b(?!in\b)[A-Za-z_]\w*\s*\{|\bgoogle\s*\.\s*(protobuf|expr)|\bcel\s*\.\s*expr|\b(TestAllTypes|GlobalEnum)\b/;

/** Rules in their order: the first that holds says why. */
const RULES: [Why, (one: Case, source: string, ast: string) => boolean][] = [
  ["messages", (one, source, ast) => MESSAGES.test(source) || /\bwrapper\(|\bany\b|google\.|cel\.expr\./.test(ast) || declared(one, source).some(isMessage)],
  ["optionals", (_, source, ast) => /\.\?|\[\s*\?|[{,[]\s*\?|\boptional\.|\.(orValue|or|hasValue|optMap|optFlatMap)\(/.test(source) || /optional_type/.test(ast)],
  ["two-variables", (_, source) => /\.(all|exists|exists_one|existsOne)\(\s*[\w.]+\s*,\s*[\w.]+\s*,/.test(source) || /\.(transform\w+)\(/.test(source)],
  ["extension", (_, source) => EXTENSIONS.test(source)],
  ["bytes", (one, source, ast) => /b""/.test(source) || /\bbytes\b/.test(source) || /\bbytes\b/.test(ast) || values(one).some((value) => holds(value, "bytesValue")) || /"BYTES"/.test(JSON.stringify(one.typeEnv ?? ""))],
  ["types", (one, source, ast) => /\btype\s*\(/.test(source) || /\btype\(/.test(ast) || values(one).some((value) => holds(value, "typeValue"))],
  ["null", (one, source) => /\bnull\b/.test(source) || /\bnull\b/.test(one.type ?? "") || values(one).some((value) => holds(value, "nullValue"))],
  ["regex", (_, source) => /\bmatches\s*\(/.test(source)],
  ["functions", (one, source) => (one.typeEnv ?? []).some((entry) => entry.function !== undefined && source.includes(entry.name.split(".").pop()!))],
  ["container", (one) => one.container !== undefined],
  ["limits", (one) => one.id.startsWith("parsing/") && /recursion|unsupported syntax/.test(one.error ?? "")],
  ["dyn", (one, source) => declared(one, source).some((type) => /"(dyn|wellKnown)"/.test(JSON.stringify(type)) && /dyn/.test(typeName(type) ?? "dyn"))],
  ["messages", (one, source) => declared(one, source).some((type) => typeName(type) === undefined) || values(one).some((value) => tagged(value) === undefined)],
  ["undeclared", (one, _, ast) => undeclared(one, ast)],
  ["numbers", (one) => !isConformance(one) && one.error !== undefined && comparesNumbers(one.error)],
  ["inference", (one, source) => !isConformance(one) && /\[\]|\{\}/.test(source) && /no matching overload/.test(one.error ?? "")],
  // What must fail, and is refused by our checker, has failed.
  ["unchecked", (one) => isConformance(one) && one.checkedAst === undefined && one.evalError === undefined && isRefused(one.error ?? "")],
];

const isConformance = ({ id }: Case) => id.startsWith("conformance/");

/** Whether our checker refuses it too: what cel-go refuses for its limits, for options, or for numbers of several types it takes. */
function isRefused(error: string): boolean {
  return !/recursion|unsupported syntax/.test(error) && !comparesNumbers(error);
}

/** Whether all that is wrong are comparisons of operands that differ in their types of numbers alone. */
function comparesNumbers(error: string): boolean {
  const errors = [...error.matchAll(/ERROR: [^:]*:\d+:\d+: (.*)/g)].map((match) => match[1]!);
  return errors.length > 0 && errors.every((text) => {
    const [, left, right] = /^found no matching overload for '_(?:[=!<>]=|[<>])_' applied to '\((.*), (.*)\)'$/.exec(text.trim()) ?? [];
    const number = (type: string) => type.replace(/\b(int|uint|double)\b/g, "number");
    return left !== undefined && right !== undefined && number(left) === number(right);
  });
}

function isMessage(type: CelType | undefined): boolean {
  const text = JSON.stringify(type ?? {});
  return /"(wrapper|abstractType|ANY)"/.test(text) || /"messageType":"(?!google\.protobuf\.(Timestamp|Duration)")/.test(text);
}

function holds(value: CelValue, key: string): boolean {
  return JSON.stringify(value).includes(`"${key}"`);
}

/** A name or a function of the tree that nothing in the case declares. */
function undeclared({ typeEnv = [], bindings = {}, id }: Case, ast: string): boolean {
  if (!id.startsWith("checking/")) return false;
  const names = new Set([...typeEnv.map((entry) => entry.name), ...Object.keys(bindings)]);
  const variables = new Set([...ast.matchAll(/\b([\w.]+)~[^\s^]+\^\1(?![\w.])/g)].map((match) => match[1]!).filter((name) => !names.has(name)));
  // Variables of macros are printed in the same way, without their declaration once comments are gone.
  return [...variables].some((name) => !/__comprehension__/.test(ast)) || /\^(fg|fi)_/.test(ast);
}

/** Why a case is outside of the subset; `undefined` when it is inside. */
export function outside(one: Case): Why | undefined {
  const source = code(one.expr);
  const ast = bare(one.checkedAst ?? "");
  return RULES.find(([, rule]) => rule(one, source, ast))?.[0];
}
