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

const slot = (name: string) => ({ selector: `#${name}` });
const same = { text: "The same" };
const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example"] },
  slots: { first: slot("first"), second: slot("second"), third: slot("third") },
  experiences: [
    { id: "aa", type: "experiment", slots: { first: [{ baseline: true }, same] } },
    { id: "aa-weighed", type: "experiment", weights: [1, 2, 1], slots: { second: [{ baseline: true }, same, same] } },
    { id: "aa-shared", type: "experiment", traffic: 0.5, holdout: 0.2, slots: { third: [{ baseline: true }, same] } },
  ],
};
const PAGE = '<!DOCTYPE html><html><head><title>A/A</title></head><body><p id="first">1</p><p id="second">2</p><p id="third">3</p></body></html>';

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
  const baseline = ["1", "2", "3"];
  for (const [index, { shown }] of pages.entries()) {
    assert.deepEqual(shown, native[index]!.map(({ variant }, at) => (variant === 0 ? baseline[at] : same.text)), `visitor ${index}`);
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
  const [shared0, shared1] = variants("third", [0, 1]) as [number, number];
  for (const [counts, shares] of [
    [variants("first", [0, 1]), [1, 1]],
    [variants("second", [0, 1, 2]), [1, 2, 1]],
    // Half of the four fifths that are not held out, in two halves.
    [[shared0, shared1, VISITORS - shared0 - shared1], [1, 1, 3]],
  ] as const) {
    assert.equal(counts.reduce((sum, one) => sum + one), VISITORS);
    assert.ok(distance([...counts], [...shares]) < THOUSANDTH[counts.length - 1]!, `${counts.join(", ")} instead of ${shares.join(" : ")}`);
  }
});
