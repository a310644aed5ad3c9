// What was found once: manifests and visitors about whom a face and the oracle did not agree. oracle.test.ts asks about all of them.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Disagreement } from "./compare.ts";
import type { Expr, Site, Visitor } from "./manifest.ts";

const FOLDER = fileURLToPath(new URL("kept", import.meta.url));

export interface Kept extends Site {
  visitor: Visitor;
}

/** Every file of the folder, by its name. */
export function kept(): [string, Kept][] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json")).sort();
  return names.map((name) => [name, JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Kept]);
}

/** Keeps a disagreement, and gives back its path in the repository. The same one is kept once. */
export function keep({ site: { manifest, expressions }, visitor }: Disagreement): string {
  const texts = new Set([...Object.values(manifest.audiences), ...manifest.experiences.map(({ audience }) => audience)]);
  const used = Object.fromEntries(Object.entries(expressions).filter(([text]) => texts.has(text))) as Record<string, Expr>;
  const content = JSON.stringify({ manifest, expressions: used, visitor } satisfies Kept, null, 2);
  const name = `${createHash("sha256").update(content).digest("hex").slice(0, 16)}.json`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, name), `${content}\n`);
  return `tests/oracle/kept/${name}`;
}
