/** What a step looked at, in plain words. */
import { unassigned } from "./words.ts";

/** What a step looked at. All of it is data of the tools or the Worker; what is there follows from the reason. */
export interface Step {
  /** Fields that the content needs. */
  readonly missing?: readonly Reading[];
}

/** A field that a clause or a content reads. */
export interface Reading {
  readonly field: string;
  /** `null` when it is not known. */
  readonly value: unknown;
  /** The purpose for want of whose consent it is not. */
  readonly needs?: string;
}

/** A bucket, what it was drawn for (`visitor`, `user` or the path of a trait), and the share of one that it is compared with. */
interface Draw {
  readonly unit: string;
  readonly bucket: number;
  readonly share: number;
  /** Whether the share is that of a ramp at this moment. */
  readonly ramp?: boolean;
}

/** What a cap or a cooldown is for. */
interface Limited {
  readonly of: "experience" | "group" | "site";
  readonly group?: string;
}

/** What there is by reason, as far as it is told here. */
export interface Steps {
  /** Page rules of the experience and of its slots; an empty list is every page. */
  readonly page: { readonly pages: readonly string[]; readonly slots: readonly { readonly slot: string; readonly pages: readonly string[] }[] };
  readonly prerequisite: {
    readonly experience: string;
    readonly factor?: string;
    /** None: any. */
    readonly variants?: readonly number[];
    /** The variant that the visitor has there, or the reason why none. */
    readonly variant?: number;
    readonly reason?: string;
  };
  readonly schedule: { readonly from: string | null; readonly until: string | null };
  readonly holdout: Draw;
  readonly experience_holdout: Draw;
  readonly traffic: Draw;
  readonly layer: { readonly layer: string; readonly unit: string; readonly bucket: number; readonly from: number; readonly to: number };
  readonly cap: Limited & { readonly per: keyof typeof WINDOWS; readonly count: number; readonly on_page: number; readonly limit: number };
  readonly cooldown: Limited & { readonly last: string; readonly until: string };
  readonly suppressed: { readonly group: string };
  readonly group_taken: { readonly group: string; readonly max: number };
  readonly no_unit: { readonly unit: string; readonly needs?: string };
}

const WINDOWS = { session: "this session", day: "today", week: "this week", total: "in all" } as const;
const IDS: Readonly<Record<string, string>> = { visitor: "visitor.id", user: "visitor.user_id" };
const EITHER = new Intl.ListFormat("en-GB", { type: "disjunction" });

const draw = ({ unit, bucket, share, ramp }: Draw): string =>
  `${ofUnit("bucket", unit)} is ${bucket}, the share ${share}${ramp ? ", where its ramp is now" : ""}.`;

const onPages = (pages: readonly string[]): string => (pages.length === 0 ? "every page" : pages.join(", "));

const WORDS: { readonly [reason in keyof Steps]: (step: Steps[reason], by: string) => string } = {
  page: ({ pages, slots }) => {
    const own = pages.length === 0 ? [] : [`It is for ${onPages(pages)}.`];
    return [...own, ...slots.map((one) => `Its slot ${one.slot} is on ${onPages(one.pages)}.`)].join(" ");
  },
  prerequisite: ({ experience, factor, variants = [], variant, reason = "" }) => {
    const which = variants.length === 0 ? "" : ` with variant ${EITHER.format(variants.map(String))}${factor === undefined ? "" : ` of ${factor}`}`;
    const found = variant === undefined ? `the visitor is not assigned there (${unassigned(reason)})` : `the visitor has variant ${variant} there`;
    return `It requires ${experience}${which}; ${found}.`;
  },
  schedule: ({ from, until }) => `It is shown${from ? ` from ${moment(from)}` : ""}${until ? ` until ${moment(until)}` : ""}.`,
  holdout: draw,
  experience_holdout: draw,
  traffic: draw,
  layer: ({ layer, unit, bucket, from, to }) => `${ofUnit("place", unit)} in the layer ${layer} is ${bucket}; its part is ${from} to ${to}.`,
  cap: ({ per, count, on_page: onPage, limit, ...limited }) => {
    const here = onPage > 0 ? ` (${onPage} of them on this page)` : "";
    return `${wasShown(limited)} ${count} ${count === 1 ? "time" : "times"} ${WINDOWS[per]}${here}, at most ${limit}.`;
  },
  cooldown: ({ last, until, ...limited }) => `${wasShown(limited)} last at ${moment(last)}; the cooldown ends at ${moment(until)}.`,
  suppressed: ({ group }, by) => `${by} suppresses the group ${group}.`,
  group_taken: ({ group, max }, by) => `The group ${group} is used up by ${by}: at most ${max} on a page.`,
  no_unit: ({ unit, ...needs }) => `${readingWords({ field: IDS[unit] ?? unit, value: null, ...needs })}.`,
};

/** What a step looked at, in a sentence; `undefined` where the reason says it all. `by` is the experience that it lost to. */
export function stepWords(reason: string, step: Step, by = ""): string | undefined {
  if (!Object.hasOwn(WORDS, reason)) return undefined;
  const words = WORDS[reason as keyof Steps] as (step: Step, by: string) => string;
  return words(step, by);
}

/** What a field is for this visitor. */
export function readingWords({ field, value, needs }: Reading): string {
  if (value !== null) return `${field} is ${JSON.stringify(value)}`;
  return needs === undefined ? `${field} is not known` : `${field} needs consent for ${needs}`;
}

/** The bucket or place of what it was drawn for. */
function ofUnit(what: string, unit: string): string {
  return Object.hasOwn(IDS, unit) ? `The ${unit}'s ${what}` : `The ${what} of ${unit}`;
}

function wasShown({ of, group }: Limited): string {
  if (of === "experience") return "Shown";
  return of === "group" ? `The group ${group} was shown` : "The site's experiences were shown";
}

/** An instant by the looker's own clock. */
function moment(instant: string): string {
  return new Date(instant).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}
