// The language-neutral cases (tests/spec/README.md) against the browser's Wasm: the tools and the author's module. It runs in Node and, bundled, in a page: nothing
// here may need either.

import { zoneOffsets, type Offsets } from "../../www/src/zone.ts";
import type { Decision, Edit } from "../../www/src/types.ts";

/** What the author's module exports. */
export interface Author {
  compile(source: string, zones: ZoneOffset): { program: Uint8Array; version: string; warnings: Found[] } | { diagnostics: Found[] };
  check(source: string, zones: ZoneOffset): { version?: string; errors: Found[]; warnings: Found[]; degrees: Record<string, string> };
  /** An empty manifest is none. */
  evaluate(expression: string, bindings: Record<string, unknown>, manifest: string, zones: ZoneOffset): Evaluated;
}

/** What the tools export. */
export interface Tools {
  context(program: Uint8Array, visitor: Visitor, offsets: Float64Array): Record<string, unknown>;
  explain(program: Uint8Array, visitor: Visitor, offsets: Float64Array): Explained;
  explain_text(program: Uint8Array, visitor: Visitor, offsets: Float64Array): string;
}

/** Both modules. */
export interface Modules {
  tools: Tools;
  author: Author;
}

/** Seconds that a zone is ahead of UTC at an instant in epoch milliseconds; `undefined` for zones that are not known. */
export type ZoneOffset = (zone: string, instant: number) => number | undefined;

/** An error or a warning. */
type Found = Record<string, unknown> & { message: string };

export interface Visitor {
  /** 1970 where a case is not about time. */
  now?: number | string;
  cf?: Record<string, unknown>;
  context?: Record<string, unknown>;
}

interface Explained {
  version: string;
  receipt: { program: string; context: string; time: string };
  context: Record<string, unknown>;
  decisions: Decision[];
  slots: { slot: string; candidates: { experience: string; reason?: string; by?: string }[] }[];
  edits: Edit[];
}

/** What an expression is worth: a value, unknown, or an error with its place. */
export interface Evaluated {
  value?: unknown;
  unknown?: true;
  type?: string;
  cost?: number;
  error?: { kind: "parse" | "check" | "evaluation" | "bindings" | "manifest"; message: string; help?: string; start: number; end: number; line: number; column: number };
  errors?: unknown[];
}

export interface ContextFile {
  manifest?: object;
  cases: { name: string; visitor: Visitor; context: Record<string, unknown> }[];
}

export interface DecideFile {
  manifest: object;
  cases: DecideCase[];
}

export interface DecideCase {
  name: string;
  visitor: Visitor;
  context?: Record<string, unknown>;
  decisions: Record<string, string>;
  factors?: Record<string, string | null>;
  lost?: Record<string, string>;
  edits?: Record<string, string>[];
}

export interface ReceiptFile {
  manifest: object;
  cases: { name: string; visitor: Visitor; receipt: { context: string; time: string } }[];
}

export interface ExpressionFile {
  cases: ExpressionCase[];
}

export interface ExpressionCase {
  name: string;
  expr: string;
  bindings?: Record<string, unknown>;
  manifest?: object;
  value?: unknown;
  unknown?: true;
  error?: string;
  help?: string | null;
  cost?: number;
  at?: string;
  type?: string;
}

/** A manifest, and all that is found in it, in order. */
export interface FoundFile {
  cases: { name: string; source: string | string[]; errors?: Found[]; warnings?: Found[]; degrees?: Record<string, string> }[];
}

/** Audiences: what is said of each, or of one behind another. */
export interface AudienceFile {
  manifest: object;
  cases: { name: string; audience: string; never?: boolean | string; at?: number; behind?: string; shadowed?: boolean }[];
}

/** Experiences, and those that another one shadows, each with that one and the slot. */
export interface ShadowFile {
  slots: object;
  cases: { name: string; manifest?: object; experiences: object[]; shadowed: Record<string, string>; unmet?: Record<string, string> }[];
}

/** A case by name, and what is wrong with it. */
export type Result = [name: string, problem: string | undefined];

/** Context cases without a manifest of their own are of this site. */
export const PLAIN_SITE = { site: { id: "contexts", hosts: ["shop.example"] } };

const formats = new Map<string, Intl.DateTimeFormat>();

/** Time zones from `Intl`, at any instant. */
export const zoneOffset: ZoneOffset = (zone, instant) => {
  try {
    let format = formats.get(zone);
    if (!format) {
      const numeric = "numeric";
      format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23", era: "short",
        year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric,
      }); // prettier-ignore
      formats.set(zone, format);
    }
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const local = new Date(0);
    const year = Number(parts["year"]);
    // `Date.UTC` takes years below 100 for others.
    local.setUTCFullYear(parts["era"] === "BC" ? 1 - year : year, Number(parts["month"]) - 1, Number(parts["day"]));
    local.setUTCHours(Number(parts["hour"]), Number(parts["minute"]), Number(parts["second"]));
    return Math.round((local.getTime() - Math.floor(instant / 1000) * 1000) / 1000);
  } catch {
    return undefined;
  }
};

/** Both as JSON with the same order of keys: what a page hands over is JSON anyway. */
function same(found: unknown, expected: unknown): boolean {
  return JSON.stringify(sorted(found)) === JSON.stringify(sorted(expected));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}

function expect(what: string, found: unknown, expected: unknown): string[] {
  return same(found, expected) ? [] : [`${what} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`];
}

/** Runs a check; a throw is a problem too. */
function result(name: string, check: () => string[]): Result {
  try {
    return [name, check().join("; ") || undefined];
  } catch (error) {
    return [name, `threw ${String(error)}`];
  }
}

export function programOf(author: Author, manifest: object): Uint8Array {
  const compiled = author.compile(JSON.stringify(manifest), zoneOffset);
  if ("program" in compiled) return compiled.program;
  throw new Error(`the manifest is refused: ${JSON.stringify(compiled.diagnostics)}`);
}

/** What a host would say of the visitor's zone. */
export function offsetsOf({ now = 0, cf, context }: Visitor): Float64Array {
  const zone = context?.["geo.timezone"] ?? cf?.["timezone"];
  const instant = typeof now === "number" ? now : Date.parse(now);
  const offsets: Offsets = zoneOffsets(typeof zone === "string" ? zone : undefined, instant);
  return Float64Array.from(offsets);
}

export function checkContexts({ tools, author }: Modules, { manifest, cases }: ContextFile): Result[] {
  const program = programOf(author, manifest ?? PLAIN_SITE);
  return cases.map(({ name, visitor, context }) =>
    result(name, () => {
      const found = tools.context(program, { now: 0, ...visitor }, offsetsOf(visitor));
      return differences(found, context);
    }),
  );
}

/** What a context says otherwise than a case. `null` is absent. */
export function differences(found: Record<string, unknown>, expected: Record<string, unknown>): string[] {
  return Object.entries(expected).flatMap(([path, value]) => expect(path, found[path] ?? null, value));
}

export function checkDecisions({ tools, author }: Modules, { manifest, cases }: DecideFile): Result[] {
  const program = programOf(author, manifest);
  return cases.map((one) => result(one.name, () => explained(tools.explain(program, { now: 0, ...one.visitor }, offsetsOf(one.visitor)), one)));
}

function explained({ context, decisions, slots, edits }: Explained, expected: DecideCase): string[] {
  const found = Object.fromEntries(decisions.map(({ slot, experience, variant, reason }) => [slot, `${experience ?? "-"} ${variant} ${reason}`]));
  const problems = [...expect("decisions", found, expected.decisions), ...differences(context, expected.context ?? {})];
  for (const [slot, factor] of Object.entries(expected.factors ?? {})) {
    problems.push(...expect(`factor of ${slot}`, decisions.find((decision) => decision.slot === slot)?.factor ?? null, factor));
  }
  const onPage = new Set(decisions.map(({ slot }) => slot));
  for (const [experience, reason] of Object.entries(expected.lost ?? {})) {
    const looked = slots.filter(({ slot }) => onPage.has(slot) || onPage.size === 0 || reason === "page");
    const candidates = looked.flatMap((slot) => slot.candidates).filter((candidate) => candidate.experience === experience);
    if (candidates.length === 0) problems.push(`${experience} is no candidate`);
    for (const candidate of candidates) {
      const why = candidate.by === undefined ? candidate.reason : `${candidate.reason} by ${candidate.by}`;
      problems.push(...expect(`loss of ${experience}`, why, reason));
    }
  }
  if (expected.edits) {
    const plain = edits.map(({ slot, op, name = "", value = "", selector }, at) => ({ slot, op, name, value, ...("selector" in (expected.edits?.[at] ?? {}) && { selector }) }));
    problems.push(...expect("edits", plain, expected.edits.map((edit) => ({ name: "", value: "", ...edit }))));
  }
  return problems;
}

export function checkReceipts({ tools, author }: Modules, { manifest, cases }: ReceiptFile): Result[] {
  const program = programOf(author, manifest);
  return cases.map(({ name, visitor, receipt }) =>
    result(name, () => {
      const found = tools.explain(program, { now: 0, ...visitor }, offsetsOf(visitor));
      return expect("receipt", found.receipt, { program: found.version, ...receipt });
    }),
  );
}

export function checkExpressions({ author }: Modules, { cases }: ExpressionFile): Result[] {
  return cases.map((one) => result(one.name, () => expression(author, one)));
}

function expression(author: Author, { expr, bindings, manifest, value, unknown, error, help, at, type, cost }: ExpressionCase): string[] {
  if ([value !== undefined, unknown, error !== undefined].filter(Boolean).length !== 1) return ["expected exactly one of value, unknown and error"];
  const found = author.evaluate(expr, bindings ?? {}, manifest ? JSON.stringify(manifest) : "", zoneOffset);
  const problems = type === undefined ? [] : expect("type", found.type, type);
  if (error !== undefined) {
    if (!found.error) return [`got ${JSON.stringify(found)}, expected the error ${JSON.stringify(error)}`];
    if (!found.error.message.includes(error)) problems.push(`error is ${JSON.stringify(found.error.message)}, expected ${JSON.stringify(error)}`);
    const advised = help === null ? found.error.help === undefined : help === undefined || found.error.help?.includes(help);
    if (!advised) problems.push(`help is ${JSON.stringify(found.error.help)}, expected ${JSON.stringify(help)}`);
    return at === undefined ? problems : [...problems, ...expect("place", `${found.error.line}:${found.error.column}`, at)];
  }
  if (found.error) return [`error: ${found.error.message}, expected ${unknown ? "unknown" : JSON.stringify(value)}`];
  if (cost !== undefined) problems.push(...expect("cost", found.cost, cost));
  return [...problems, ...expect("unknown", found.unknown ?? false, unknown ?? false), ...expect("value", found.value ?? null, value ?? null)];
}

/** Manifests that are refused, or warned of: every error, or warning, with its place. */
export function checkFound({ author }: Modules, { cases }: FoundFile): Result[] {
  return cases.map(({ name, source, errors = [], warnings = [], degrees }) =>
    result(name, () => {
      const text = typeof source === "string" ? source : source.join("\n");
      const report = author.check(text, zoneOffset);
      const compiled = author.compile(text, zoneOffset);
      const listed = "program" in compiled ? { version: compiled.version, errors: [], warnings: compiled.warnings } : { errors: compiled.diagnostics, warnings: [] };
      const problems = expect("compile", { ...report, degrees: {} }, { ...listed, degrees: {} });
      if (degrees) problems.push(...expect("degrees", report.degrees, degrees));
      return [...problems, ...places("errors", report.errors, errors), ...places("warnings", report.warnings, warnings)];
    }),
  );
}

function places(what: string, found: Found[], expected: Found[]): string[] {
  if (found.length !== expected.length) return [`${what}: ${JSON.stringify(found)}, expected ${expected.length}`];
  return expected.flatMap((one, at) =>
    Object.entries(one).flatMap(([key, value]) => {
      const text = found[at]![key];
      const partly = ["message", "help"].includes(key) && typeof text === "string" && text.includes(String(value));
      return partly ? [] : expect(`${key} of ${what}[${at}]`, text, value);
    }),
  );
}

export function checkAudiences({ author }: Modules, { manifest, cases }: AudienceFile): Result[] {
  return cases.map(({ name, audience, never, at, behind, shadowed }) =>
    result(name, () => {
      const experience = (id: string, audience: string) => ({ id, type: "personalization", ...(audience && { audience }), slots: { place: { text: "x" } } });
      const experiences = [...(behind === undefined ? [] : [experience("a-first", behind)]), experience("e", audience)];
      const source = JSON.stringify({ ...manifest, experiences });
      const { errors, warnings } = author.check(source, zoneOffset);
      if (errors.length > 0) return [`refused: ${JSON.stringify(errors)}`];
      const found = (part: string) => warnings.find(({ message }) => message.startsWith(`experience \`e\` can never win: ${part}`));
      if (never === undefined) return expect("shadowed", found("wherever it could, `a-first` comes before it and takes `place`") !== undefined, shadowed);
      const warning = found("`");
      const problems = expect("never", warning !== undefined, never !== false);
      if (typeof never === "string") problems.push(...expect("reason", warning?.message.split(": ").slice(1).join(": "), never));
      const start = source.lastIndexOf(JSON.stringify(audience)) + 1;
      return at === undefined ? problems : [...problems, ...expect("at", Number(warning?.["column"]) - start, at)];
    }),
  );
}

export function checkShadows({ author }: Modules, { slots, cases }: ShadowFile): Result[] {
  return cases.map(({ name, manifest, experiences, shadowed, unmet = {} }) =>
    result(name, () => {
      const { errors, warnings } = author.check(JSON.stringify({ site: { id: "x" }, slots, ...manifest, experiences }), zoneOffset);
      if (errors.length > 0) return [`refused: ${JSON.stringify(errors)}`];
      const said = warnings.map(({ message }) => /^experience `(.*?)` can never win: wherever it could, (.*)$/.exec(message));
      const found = said.flatMap((parts) => (parts ? [[parts[1]!, parts[2]!.replace("` comes before it and", "").replaceAll("`", "")]] : []));
      const required = warnings.map(({ message }) => /^experience `(.*?)` can never win: `(.*?)`, which it requires, (.*)$/.exec(message));
      const unmetFound = required.flatMap((parts) => (parts ? [[parts[1]!, `${parts[2]} ${parts[3]!.replaceAll("`", "")}`]] : []));
      return [...expect("shadowed", Object.fromEntries(found), shadowed), ...expect("unmet", Object.fromEntries(unmetFound), unmet)];
    }),
  );
}
