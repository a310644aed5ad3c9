// What is outside of the subset, as `outside.json` keeps it. Run by hand, it writes that file.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CASES, sectionOf } from "./suites.ts";
import { outside, REASONS, type Why } from "./subset.ts";

export const FILE = fileURLToPath(new URL("outside.json", import.meta.url));

/** One reason for a whole section, or the names of its cases by reason. */
export type Outside = Record<string, Why | Partial<Record<Why, string[]>>>;

export function listOutside(): Outside {
  const sections = new Map<string, { reasons: Partial<Record<Why, string[]>>; all: number }>();
  for (const one of CASES) {
    const section = sections.get(sectionOf(one)) ?? { reasons: {}, all: 0 };
    sections.set(sectionOf(one), section);
    section.all += 1;
    const why = outside(one);
    if (why) (section.reasons[why] ??= []).push(one.id.slice(sectionOf(one).length + 1));
  }
  const list: Outside = {};
  for (const [name, { reasons, all }] of sections) {
    const [first, ...more] = Object.entries(reasons) as [Why, string[]][];
    if (!first) continue;
    list[name] = more.length === 0 && first[1].length === all ? first[0] : reasons;
  }
  return list;
}

export function text(list: Outside): string {
  const about = "What of CEL's test data is outside of our subset, and why. Written by `node tests/cel/list.ts`; checked by the tests beside it.";
  return `${JSON.stringify({ about, reasons: REASONS, sections: list }, undefined, 1)}\n`;
}

export const kept = (): string => readFileSync(FILE, "utf8");

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, text(listOutside()));
