/** Reasons in plain words. */
import type { Decision } from "../types.ts";

/** An experience that wanted a slot. */
export interface Candidate {
  readonly experience: string;
  readonly reason: string;
  /** Who took the slot. */
  readonly by?: string | null;
}

const WON: Readonly<Record<string, string>> = {
  match: "its audience matched",
  split: "the visitor is in this variant of the experiment",
  no_unit: "it has the slot but shows the baseline, as the visitor has no id to draw with",
  no_candidate: "no experience applies to this visitor here",
};

const LOST: Readonly<Record<string, string>> = {
  page: "not for this page",
  schedule: "outside its schedule",
  audience: "audience not matched",
  unknown: "a value that its audience or content reads is not known",
  no_consent: "needs a consent that was not given",
  holdout: "visitor is in the site's holdout",
  experience_holdout: "visitor is in this experience's holdout",
  traffic: "visitor is outside its share of traffic",
};

/** Why a slot shows what it shows. */
export function whyShown({ experience, reason }: Decision): string {
  const why = WON[reason] ?? reason;
  return experience === null ? `${why.charAt(0).toUpperCase()}${why.slice(1)}.` : `${experience}: ${why}.`;
}

/** Why a candidate lost its slot. */
export function whyLost({ reason, by }: Candidate): string {
  if (reason === "slot_taken") return by ? `slot already taken by ${by}` : "slot already taken";
  return LOST[reason] ?? reason;
}

/** What a slot shows, in two or three words. */
export function shown({ source, variant }: Decision): string {
  if (source === "personalization") return "personalised";
  if (source === "experiment") return variant === 0 ? "experiment, baseline" : `experiment, variant ${variant}`;
  return "baseline";
}
