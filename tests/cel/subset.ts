// Which of CEL's cases fall in our subset: rules over the expression, its declared names, and the tree that cel-go printed, in
// which every part has its type.
import type { Case, CelType, CelValue } from "./suites.ts";
import { sectionOf } from "./suites.ts";
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
  mixed: "lists and maps of mixed types without dyn()",
  dyn: "names that are declared as dyn: ours have the types of their values",
  functions: "functions that the test declares",
  undeclared: "names that cel-go's test declares, and that the data leaves out",
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

/** Whether a list or map in the tree holds elements, keys or values of several types. */
function isMixed(ast: string): boolean {
  for (let at = 0; at < ast.length; at++) {
    const bracket = ast[at];
    // `foo[ ...` is no list but an index, which is printed as a call; `Name{` is a message.
    if ((bracket !== "[" && bracket !== "{") || /[\w.\]_]/.test(ast[at - 1] ?? " ")) continue;
    const types = elementTypes(ast, at);
    if (bracket === "[" && new Set(types).size > 1) return true;
    if (bracket === "{" && [0, 1].some((odd) => new Set(types.filter((_, index) => index % 2 === odd)).size > 1)) return true;
  }
  return false;
}

/** The types of what stands directly in a bracket: of elements, or of keys and values in turn. */
function elementTypes(ast: string, open: number): string[] {
  const types: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < ast.length; at++) {
    const character = ast[at]!;
    if ("[{(".includes(character)) depth++;
    const isEnd = "]})".includes(character) && --depth === 0;
    if (isEnd || (depth === 1 && (character === "," || (character === ":" && ast[open] === "{")))) {
      const element = ast.slice(start, at).trim();
      if (element) types.push(typeOf(element));
      start = at + 1;
    }
    if (isEnd) break;
  }
  return types;
}

/** The type behind the last `~` outside of brackets, without the overload behind `^`. */
function typeOf(element: string): string {
  let depth = 0;
  for (let at = element.length - 1; at >= 0; at--) {
    if ("]})".includes(element[at]!)) depth++;
    if ("[{(".includes(element[at]!)) depth--;
    if (element[at] === "~" && depth === 0) return element.slice(at + 1).replace(/\^.*$/, "");
  }
  return element;
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
  ["mixed", (_, __, ast) => isMixed(ast)],
  ["undeclared", (one, _, ast) => undeclared(one, ast)],
  // What must fail, and is refused by our checker, has failed.
  ["unchecked", (one) => one.checkedAst === undefined && one.evalError === undefined && !sectionOf(one).match(/^(parsing|checking|comprehensions)$/)],
];

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
