// The shapes that the oracle and its generator speak of: a manifest as its JSON, and visitors whose context is given.

export type Purpose = "personalization" | "analytics" | "marketing";

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** An expression as a tree. `text` in generate.ts is how people write it. */
export type Expr =
  | { op: "literal"; value: boolean | number | string }
  | { op: "field"; path: string }
  | { op: "has"; path: string }
  | { op: "audience"; name: string }
  | { op: "not"; of: Expr }
  | { op: "and"; of: Expr[] }
  | { op: "or"; of: Expr[] }
  | { op: Comparison; left: Expr; right: Expr }
  | { op: "in"; left: Expr; list: Expr | Expr[] };

export interface Cap {
  session?: number;
  day?: number;
  week?: number;
  total?: number;
  cooldown_minutes?: number;
}

/** What a slot shows: `{ baseline: true }`, `{ text: "..." }`, ... */
export type Content = Record<string, unknown>;

export interface Ramp {
  ramp: "steps" | "linear";
  points: { at: string; share: number }[];
}

export interface Requirement {
  experience: string;
  factor?: string;
  variants?: number[];
}

export interface Factor {
  weights?: number[];
  slots: Record<string, Content[]>;
}

export interface Experience {
  id: string;
  type: "personalization" | "experiment";
  status?: "running" | "draft" | "paused";
  priority?: number;
  purpose?: Purpose;
  pages?: string[];
  schedule?: { from?: string; until?: string };
  audience?: string;
  requires?: Requirement[];
  unit?: string;
  holdout?: number;
  layer?: { name: string; from: number; to: number };
  traffic?: number | Ramp;
  sticky?: boolean;
  winner?: number | number[];
  groups?: string[];
  suppresses?: string[];
  cap?: Cap;
  global_cap?: boolean;
  weights?: number[];
  slots?: Record<string, Content | Content[]>;
  factors?: Record<string, Factor>;
  runs?: number[][];
}

export interface Manifest {
  site: { id: string; timezone?: string };
  holdout?: number;
  cap?: Cap;
  traits: Record<string, { type: "bool" | "int" | "string" | "strings"; purpose: Purpose }>;
  audiences: Record<string, string>;
  layers: Record<string, { unit?: string }>;
  groups: Record<string, { max?: number; cap?: Cap }>;
  slots: Record<string, { type?: "element" | "data" | "page"; selector?: string; pages?: string[] }>;
  experiences: Experience[];
}

/** A manifest, and the tree of each expression in it by its text. */
export interface Site {
  manifest: Manifest;
  expressions: Record<string, Expr>;
}

export type Told = boolean | number | string | string[] | null;

/** A visitor, as the command line and the tools read one. */
export interface Visitor {
  url: string;
  now: string;
  /** Overrides: fields, consent, `visitor.id`, forced variants, and what else may stand in `profile`. */
  context: Record<string, Told>;
  profile: Record<string, string>;
}

export interface Decision {
  slot: string;
  experience: string | null;
  variant: number;
  factor?: string;
  source: "baseline" | "personalization" | "experiment";
  reason: string;
}

/** Why an experience won or lost, and to which it lost. */
export interface Outcome {
  reason: string;
  by?: string;
}

/** What is decided: every slot of the page in the manifest's order, and what became of every experience. */
export interface Decided {
  decisions: Decision[];
  outcomes: Record<string, Outcome>;
}

/** Why a slot shows what it shows, and why an experience lost: all that there is. */
export const REASONS = ["match", "split", "sticky", "forced", "winner", "no_unit", "no_candidate"];
export const LOSSES = [
  "page", "draft", "paused", "schedule", "audience", "unknown", "no_consent", "prerequisite", "holdout", "experience_holdout",
  "layer", "traffic", "cap", "cooldown", "suppressed", "group_taken", "slot_taken",
]; // prettier-ignore
