/**
 * What a visitor said of all purposes at one time, as the cookie `idoine_consent` holds it, and what it comes to. The same is in the core
 * (src/consent.rs); tests/spec/consent.json holds both to the same answers.
 */
import type { ChosenBy, ConsentStatus, Notice, Purpose, PurposeStatus } from "./types.ts";

export const PURPOSES: readonly Purpose[] = ["personalization", "analytics", "marketing"];

/** What Global Privacy Control refuses. */
const PROFILING: readonly Purpose[] = ["personalization", "marketing"];

/** On which terms a site asks: how it has consent, and the version of its wording. */
export type Terms = Pick<Notice, "mode" | "version">;

/** What a browser refuses for its person. */
export type Signals = ConsentStatus["signals"];

/** A choice, as it is kept. What it says nothing of was not asked. */
export interface Choice {
  readonly said: ReadonlyMap<Purpose, PurposeStatus>;
  readonly version: number;
  /** Seconds since 1970; 0 where it is not known. */
  readonly at: number;
  readonly by: ChosenBy;
  /** What the visitor refused the site itself, so that no platform grants it. */
  readonly own: readonly Purpose[];
}

const SIGNS = { granted: "", refused: "-", withdrawn: "~" } as const;
const LETTERS = { visitor: "v", platform: "p", default: "d" } as const;

/** Reads a cookie's value. `undefined` when it is not one of ours, which is as if no choice was made. */
export function readChoice(text: string): Choice | undefined {
  const said = new Map<Purpose, PurposeStatus>();
  const marked = new Set<Purpose>();
  const [, old] = /^v1((?:\.\w+)*)$/.exec(text) ?? [];
  const [, parts, version, at, letter] = /^v2((?:\.!?[-~]?[a-z]+)*)\.(\d{1,10})\.(\d{1,15})\.([vpd])$/.exec(text) ?? [];
  const names = (old ?? parts)?.split(".").slice(1);
  if (!names || Number(version ?? 1) > 0xffffffff) return undefined;
  for (const part of names) {
    const [, mark, sign, name] = /^(!?)([-~]?)(.*)$/.exec(part)!;
    const purpose = PURPOSES.find((one) => one === name);
    if (!purpose || (mark && !sign)) return undefined;
    // Who agrees and refuses at once refuses; of two refusals the last one counts.
    if (sign) {
      said.set(purpose, sign === "~" ? "withdrawn" : "refused");
      if (mark) marked.add(purpose);
      else marked.delete(purpose);
    } else if (!said.has(purpose)) said.set(purpose, "granted");
  }
  if (old !== undefined) {
    for (const purpose of PURPOSES) if (!said.has(purpose)) said.set(purpose, "refused");
    return { said, version: 1, at: 0, by: "visitor", own: deniedIn(said) };
  }
  const by = (Object.keys(LETTERS) as ChosenBy[]).find((one) => LETTERS[one] === letter)!;
  const own = by === "visitor" ? deniedIn(said) : by === "platform" ? PURPOSES.filter((purpose) => marked.has(purpose)) : [];
  return { said, version: Number(version), at: Number(at), by, own };
}

/** What is refused or withdrawn. */
const deniedIn = (said: Choice["said"]): Purpose[] => PURPOSES.filter((purpose) => ["refused", "withdrawn"].includes(said.get(purpose)!));

/** What the cookie holds. */
export function writeChoice({ said, version, at, by, own }: Choice): string {
  const mark = (purpose: Purpose): string => (by === "platform" && own.includes(purpose) ? "!" : "");
  const parts = (["granted", "refused", "withdrawn"] as const).flatMap((status) =>
    PURPOSES.filter((purpose) => said.get(purpose) === status).map((purpose) => mark(purpose) + SIGNS[status] + purpose),
  );
  return ["v2", ...parts, version, at, LETTERS[by]].join(".");
}

/**
 * The choice that is kept when a visitor, who chose `before` last, says something new. All that they don't agree to they refuse; they withdraw it
 * where they had agreed to it. What a browser refuses for its person is not kept as agreed to. A platform takes nothing back that the visitor
 * refused the site itself; what only a platform refused, it may grant later.
 */
export function choiceAfter(
  before: Choice | undefined,
  { granted, version, at, by }: Omit<Choice, "said" | "own"> & { granted: readonly string[] },
  { gpc }: Pick<Signals, "gpc">,
): Choice {
  const last = before?.by === "default" ? undefined : before;
  const was = (purpose: Purpose): PurposeStatus | undefined => last?.said.get(purpose);
  const kept = by === "platform" ? (last?.own ?? []) : [];
  const said = new Map<Purpose, PurposeStatus>();
  for (const purpose of PURPOSES) {
    const agreed = granted.includes(purpose) && !kept.includes(purpose) && !(gpc && PROFILING.includes(purpose));
    const had = was(purpose) === "granted" || was(purpose) === "withdrawn";
    said.set(purpose, agreed ? "granted" : had ? "withdrawn" : "refused");
  }
  return { said, version, at, by, own: by === "platform" ? kept : deniedIn(said) };
}

/** What a choice comes to on these terms, where the browser refuses this. */
export function statusOf(choice: Choice | undefined, { mode, version }: Terms, signals: Signals): ConsentStatus {
  const chosen = choice && choice.by !== "default";
  const decided = !!chosen && choice.version >= version;
  const said = (purpose: Purpose): PurposeStatus => choice?.said.get(purpose) ?? "unasked";
  const holds = (purpose: Purpose): boolean => {
    if (decided) return said(purpose) === "granted";
    if (mode !== "opt-out" || (signals.dnt && !chosen)) return false;
    return said(purpose) === "granted" || said(purpose) === "unasked";
  };
  return {
    granted: PURPOSES.filter((purpose) => holds(purpose) && !(signals.gpc && PROFILING.includes(purpose))),
    decided,
    choice: Object.fromEntries(PURPOSES.map((purpose) => [purpose, chosen ? said(purpose) : "unasked"])) as ConsentStatus["choice"],
    ...(choice && { version: choice.version, by: choice.by }),
    ...(choice?.at && { at: new Date(choice.at * 1000).toISOString() }),
    own: choice?.own ?? [],
    measured: mode === "measurement-exempt" && !["refused", "withdrawn"].includes(said("analytics")) && !(signals.dnt && !chosen),
    signals,
  };
}
