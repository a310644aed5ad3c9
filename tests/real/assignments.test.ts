// Two thousand visitors of an A/A test, each with the cookies of one who agreed, whose pages go through the Worker: everyone gets
// the variants that the native core assigns to them, and visitors are split as the weights say.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Decision } from "../../www/src/types.ts";
import { signedId, startOrigin, startWorker } from "../worker/harness.ts";
import { decideNatively } from "./faces.ts";

const VISITORS = 2_000;
const KEY = "a secret of thirty-two characters";

const same = { text: "The same" };
const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example"] },
  layers: { main: {} },
  slots: Object.fromEntries(["first", "second", "third", "fourth", "fifth", "sixth", "seventh"].map((name) => [name, { selector: `#${name}` }])),
  experiences: [
    { id: "aa", type: "experiment", slots: { first: [{ baseline: true }, same] } },
    { id: "aa-weighed", type: "experiment", weights: [1, 2, 1], slots: { second: [{ baseline: true }, same, same] } },
    { id: "aa-shared", type: "experiment", traffic: 0.5, holdout: 0.2, slots: { third: [{ baseline: true }, same] } },
    { id: "aa-layered", type: "experiment", layer: { name: "main", from: 0, to: 0.5 }, slots: { fourth: [{ baseline: true }, same] } },
    { id: "aa-layered-too", type: "experiment", layer: { name: "main", from: 0.5, to: 1 }, slots: { fifth: [{ baseline: true }, same] } },
    {
      id: "aa-factors",
      type: "experiment",
      factors: { one: { slots: { sixth: [{ baseline: true }, same] } }, other: { weights: [1, 2, 1], slots: { seventh: [{ baseline: true }, same, same] } } },
    },
  ],
};
const BASELINE = Object.keys(MANIFEST.slots).map((name) => `the ${name}`);
const PAGE = `<!DOCTYPE html><html><head><title>A/A</title></head><body>${Object.keys(MANIFEST.slots).map((name, at) => `<p id="${name}">${BASELINE[at]}</p>`).join("")}</body></html>`;

/** An id as browsers make them, the same in every run. */
function idOf(number: number): string {
  const hex = createHash("sha256").update(String(number)).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}

const visitors = Array.from({ length: VISITORS }, (_, number) => ({
  url: "https://shop.example/",
  headers: { cookie: `idoine_consent=v1.personalization; idoine_id=${signedId(idOf(number), KEY)}` },
  now: Date.UTC(2026, 10, 22),
}));

let native: Decision[][];
let pages: { decisions: Decision[] | undefined; shown: string[] }[];

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "idoine-test-"));
  const origin = await startOrigin({ "/": PAGE });
  const worker = await startWorker({ origin: origin.url, manifest: MANIFEST, vars: { IDOINE_KEY: KEY } });
  try {
    const manifest = join(folder, "site.json");
    await writeFile(manifest, JSON.stringify(MANIFEST));
    native = (await decideNatively(manifest, visitors)).map(({ decisions }) => decisions);
    pages = [];
    const waiting = visitors.entries();
    const send = async (): Promise<void> => {
      for (const [index, { url, headers }] of waiting) {
        const answer = await worker.fetch(url, { headers });
        assert.equal(answer.status, 200, answer.text);
        pages[index] = { decisions: answer.state?.decisions, shown: [...answer.text.matchAll(/<p id="\w+">(.*?)<\/p>/g)].map(([, text]) => text!) };
      }
    };
    await Promise.all(Array.from({ length: 8 }, send));
  } finally {
    await worker.dispose();
    await origin.close();
    await rm(folder, { recursive: true });
  }
});

test("the Worker assigns everyone as the native core does", () => {
  assert.equal(native.length, VISITORS);
  assert.equal(pages.length, VISITORS);
  for (const [index, { decisions }] of pages.entries()) assert.deepEqual(decisions, native[index], `visitor ${index}, ${idOf(index)}`);
});

test("everyone sees what was decided", () => {
  const slots = Object.keys(MANIFEST.slots);
  for (const [index, { shown }] of pages.entries()) {
    const expected = slots.map((slot, at) => (native[index]!.find((decision) => decision.slot === slot)!.variant === 0 ? BASELINE[at] : same.text));
    assert.deepEqual(shown, expected, `visitor ${index}`);
  }
});

/** How far counts are from their shares: chi-square. */
function distance(counts: number[], shares: number[]): number {
  const all = counts.reduce((sum, count) => sum + count);
  const whole = shares.reduce((sum, share) => sum + share);
  return counts.reduce((sum, count, index) => sum + (count - (all * shares[index]!) / whole) ** 2 / ((all * shares[index]!) / whole), 0);
}

/** What is exceeded by chance once in a thousand times, by degrees of freedom. */
const THOUSANDTH = [0, 10.828, 13.816, 16.266];

test("visitors are split as the weights and shares say", () => {
  const count = (slot: string, is: (decision: Decision) => boolean): number => pages.filter(({ decisions }) => decisions!.some((decision) => decision.slot === slot && is(decision))).length;
  const variants = (slot: string, among: number[]): number[] => among.map((variant) => count(slot, (decision) => decision.reason === "split" && decision.variant === variant));
  /** The variants, and all who are in none. */
  const some = (slot: string, among: number[]): number[] => {
    const counts = variants(slot, among);
    return [...counts, VISITORS - counts.reduce((sum, one) => sum + one)];
  };
  for (const [counts, shares] of [
    [variants("first", [0, 1]), [1, 1]],
    [variants("second", [0, 1, 2]), [1, 2, 1]],
    // Half of the four fifths that are not held out, in two halves.
    [some("third", [0, 1]), [1, 1, 3]],
    [some("fourth", [0, 1]), [1, 1, 2]],
    [some("fifth", [0, 1]), [1, 1, 2]],
    [variants("sixth", [0, 1]), [1, 1]],
    [variants("seventh", [0, 1, 2]), [1, 2, 1]],
  ] as const) {
    assert.equal(counts.reduce((sum, one) => sum + one), VISITORS);
    assert.ok(distance([...counts], [...shares]) < THOUSANDTH[counts.length - 1]!, `${counts.join(", ")} instead of ${shares.join(" : ")}`);
  }
});

test("everyone is in one of the two experiments that share a layer", () => {
  for (const [index, { decisions }] of pages.entries()) {
    const split = decisions!.filter(({ slot, reason }) => ["fourth", "fifth"].includes(slot) && reason === "split");
    assert.equal(split.length, 1, `visitor ${index}`);
  }
});
