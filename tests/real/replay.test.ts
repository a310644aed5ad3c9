// `idoine replay` over a thousand visitors of the demo: what it counts is what comparing the decisions of both manifests gives,
// and what was logged comes out the same.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Decision, Edit } from "../../www/src/types.ts";
import { idoine } from "./faces.ts";
import { SITE } from "./shop.ts";
import { visitors as draw } from "./visitors.ts";

interface Line {
  decisions: Decision[];
  edits: Edit[];
  receipt: Record<string, string>;
}

type Outcome = Omit<Decision, "slot"> | null;

interface Report {
  visitors: number;
  changed: number;
  content: number;
  edited: number;
  slots: { slot: string; visitors: number; changed: number; content: number; changes: { from: Outcome; to: Outcome; visitors: number; edited: number; examples: { line: number; url: string }[] }[] }[];
  experiences: { experience: string; before: number | null; after: number | null }[];
  receipts: { same: number; different: number; other_program: number };
}

const visitors = draw();
const input = visitors.map((visitor) => `${JSON.stringify(visitor)}\n`).join("");
const folder = mkdtempSync(join(tmpdir(), "idoine-replay-"));
after(() => rmSync(folder, { recursive: true }));

/** The demo with an audience that is narrower, an experience that has another id, other weights, another text, and one less. */
function changed(): string {
  let source = readFileSync(SITE, "utf8");
  for (const [before, now] of [
    ["source.name in ['instagram', 'ig'] && device.type == 'mobile'", "source.name == 'ig' && device.type == 'mobile'"],
    ['"id": "gift-card",', '"id": "gift-card-2026",'],
    ['"weights": [50, 25, 25]', '"weights": [25, 50, 25]'],
    ['"text": "Black Friday"', '"text": "Black Week"'],
    ["time.hour < 14", "time.hour < 11"],
  ] as const) {
    assert.ok(source.includes(before), before);
    source = source.replace(before, now);
  }
  const path = join(folder, "changed.jsonc");
  writeFileSync(path, source);
  return path;
}

const other = changed();
const decided = async (manifest: string): Promise<Line[]> => (await idoine(["decide", manifest], input)).trimEnd().split("\n").map((line) => JSON.parse(line) as Line);
const replayed = async (args: string[], text: string): Promise<Report> => JSON.parse(await idoine(["replay", ...args, "--visitors", "-", "--json"], text)) as Report;

const NOBODY: Outcome = { experience: null, variant: 0, source: "baseline", reason: "no_candidate" };

/** What a line says of a slot; `null` when it is not on the page. */
function outcome(line: Line, slot: string): Outcome {
  const decision = line.decisions.find((one) => one.slot === slot);
  if (decision === undefined) return null;
  const { slot: _slot, ...rest } = decision;
  return rest;
}

const editsOf = (line: Line, slot: string): Edit[] => line.edits.filter((edit) => edit.slot === slot);
const asBefore = (from: Outcome, to: Outcome): boolean => isDeepStrictEqual(from ?? NOBODY, to ?? NOBODY);

test("the changes are those that comparing decisions finds", async () => {
  const [old, now, report] = await Promise.all([decided(SITE), decided(other), replayed([SITE, other], input)]);
  const slots = report.slots.map(({ slot }) => slot);
  assert.equal(report.visitors, visitors.length);
  const pairs = old.map((line, index) => [line, now[index]!] as const);
  const changes = ([from, to]: (typeof pairs)[number]): boolean => slots.some((slot) => !asBefore(outcome(from, slot), outcome(to, slot)));
  const edits = ([from, to]: (typeof pairs)[number]): boolean => !isDeepStrictEqual(from.edits, to.edits);
  const found = {
    changed: pairs.filter(changes).length,
    content: pairs.filter((pair) => !changes(pair) && edits(pair)).length,
    edited: pairs.filter(edits).length,
  };
  assert.deepEqual({ changed: report.changed, content: report.content, edited: report.edited }, found);
  assert.ok(found.changed > 50 && found.content > 10 && found.edited < 800, JSON.stringify(found));

  for (const { slot, visitors: onPage, changed: some, content, changes } of report.slots) {
    const shown = pairs.map(([from, to]) => [outcome(from, slot), outcome(to, slot), !isDeepStrictEqual(editsOf(from, slot), editsOf(to, slot))] as const).filter(([from, to]) => from !== null || to !== null);
    assert.equal(onPage, shown.length, slot);
    const groups = new Map<string, [number, number]>();
    for (const [from, to, edited] of shown.filter(([from, to]) => !asBefore(from, to))) {
      const key = JSON.stringify([from, to]);
      const [count, seen] = groups.get(key) ?? [0, 0];
      groups.set(key, [count + 1, seen + Number(edited)]);
    }
    assert.deepEqual(new Map(changes.map(({ from, to, visitors, edited }) => [JSON.stringify([from, to]), [visitors, edited]])), groups, slot);
    assert.equal(some, [...groups.values()].reduce((sum, [count]) => sum + count, 0), slot);
    assert.equal(content, shown.filter(([from, to, edited]) => asBefore(from, to) && edited).length, slot);
    for (const { from, to, examples } of changes) {
      assert.ok(examples.length > 0 && examples.length <= 3);
      for (const { line, url } of examples) {
        assert.deepEqual([outcome(old[line - 1]!, slot), outcome(now[line - 1]!, slot), visitors[line - 1]!.url], [from, to, url]);
      }
    }
  }

  const wins = (lines: Line[], id: string): number => lines.filter(({ decisions }) => decisions.some(({ experience }) => experience === id)).length;
  for (const { experience, before, after } of report.experiences) {
    assert.deepEqual([before ?? 0, after ?? 0], [wins(old, experience), wins(now, experience)], experience);
  }
  assert.deepEqual(report.experiences.filter(({ before, after }) => before === null || after === null).map(({ experience, before }) => [experience, before === null]), [["gift-card", false], ["gift-card-2026", true]]);
});

test("what was logged comes out the same by its own manifest, and changes as the visitors themselves do", async () => {
  const log = await idoine(["decide", SITE, "--log"], input);
  const same = await replayed([SITE, SITE], log);
  assert.deepEqual([same.visitors, same.changed, same.content, same.edited, same.receipts], [1000, 0, 0, 0, { same: 1000, different: 0, other_program: 0 }]);
  const [ofLog, ofVisitors] = await Promise.all([replayed([SITE, other], log), replayed([SITE, other], input)]);
  assert.deepEqual(ofLog.receipts, { same: 1000, different: 0, other_program: 0 });
  const numbers = ({ changed, content, edited, experiences, slots }: Report) => ({ changed, content, edited, experiences, slots: slots.map(({ changes, ...slot }) => ({ ...slot, content_examples: [], changes: changes.map(({ examples, ...change }) => [change, examples.map(({ line }) => line)]) })) });
  assert.deepEqual(numbers(ofLog), numbers(ofVisitors));
});

test("a log of another manifest is told", async () => {
  const log = await idoine(["decide", other, "--log"], input);
  const lines = log.trimEnd().split("\n");
  const both = await replayed([SITE, SITE], [...lines.slice(0, 20), ""].join("\n"));
  assert.deepEqual(both.receipts, { same: 0, different: 0, other_program: 20 });
  const turned = await replayed([SITE, other], log);
  assert.deepEqual(turned.receipts, { same: 1000, different: 0, other_program: 0 });
});

test("the program for browsers knows nothing of the draft, and decides as the manifest does", async () => {
  const browser = join(folder, "browser.program");
  await idoine(["compile", SITE, "--browser", "-o", browser]);
  assert.ok(readFileSync(SITE).includes("winter collection") && !/winter/i.test(readFileSync(browser, "latin1")));
  const { visitors: count, changed, content, edited } = await replayed([SITE, browser], input);
  assert.deepEqual([count, changed, content, edited], [1000, 0, 0, 0]);
});
