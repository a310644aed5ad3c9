/** Reasons in plain words. */
import type { Decision } from "../types.ts";

/** An experience that wanted a slot. */
export interface Candidate {
  readonly experience: string;
  readonly reason: string;
  /** Who it lost to. */
  readonly by?: string | null;
}

/** What a clause of an audience is for a visitor. */
export const TRUTHS = { true: "true", false: "false", unknown: "not known", denied: "no consent" } as const;

/** Reasons of those that won. */
export const WON: Readonly<Record<string, string>> = {
  match: "its audience matched",
  split: "the visitor is in this variant of the experiment",
  sticky: "the visitor keeps the variant of before",
  forced: "the preview asks for this variant",
  winner: "this variant has won the experiment",
  no_unit: "it has the slot but shows the baseline, as the visitor has no id to draw with",
  no_candidate: "no experience applies to this visitor here",
};

const LOST: Readonly<Record<string, string>> = {
  page: "not for this page",
  draft: "still a draft",
  paused: "paused",
  schedule: "outside its schedule",
  audience: "audience not matched",
  unknown: "a value that its audience or content reads is not known",
  no_consent: "needs a consent that was not given",
  prerequisite: "visitor is not assigned where it must be",
  holdout: "visitor is in the site's holdout",
  experience_holdout: "visitor is in this experience's holdout",
  layer: "visitor is outside its share of the layer",
  traffic: "visitor is outside its share of traffic",
  cap: "shown as often as it may be",
  cooldown: "shown too short a time ago",
  suppressed: "suppressed",
  group_taken: "its group has all the winners it may have",
  slot_taken: "slot already taken",
};

/** The same where another experience is the reason. */
const LOST_TO: Readonly<Record<string, (other: string) => string>> = {
  prerequisite: (other) => `visitor is not assigned in ${other}, as it must be`,
  suppressed: (other) => `suppressed by ${other}`,
  group_taken: (other) => `its group already shows ${other}`,
  slot_taken: (other) => `slot already taken by ${other}`,
};

/** Why a slot shows what it shows. */
export function whyShown({ experience, reason }: Decision): string {
  const why = WON[reason] ?? reason;
  return experience === null ? `${why.charAt(0).toUpperCase()}${why.slice(1)}.` : `${experience}: ${why}.`;
}

/** Why a candidate lost its slot. */
export function whyLost({ reason, by }: Candidate): string {
  return (by && LOST_TO[reason]?.(by)) || (LOST[reason] ?? reason);
}

/** Why a visitor is not assigned to an experience, in words. */
export function unassigned(reason: string): string {
  return reason === "no_unit" ? "no id to draw with" : (LOST[reason] ?? reason);
}

/** What a slot shows, in two or three words. */
export function shown({ source, variant }: Decision): string {
  if (source === "personalization") return "personalised";
  if (source === "experiment") return variant === 0 ? "experiment, baseline" : `experiment, variant ${variant}`;
  return "baseline";
}
