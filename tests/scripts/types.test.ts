// What `idoine types` writes, read by TypeScript beside the package's own types: names that there are not are errors, all others are none.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Statements that are right, and ones that are not; each is one line. */
const RIGHT = `
idoine.decision("2nd-hero");
const offer: number | string | undefined = idoine.value("offer")?.percent;
const more: number | undefined = idoine.value("offer")?.nested.more;
const tier: readonly number[] | null | undefined = idoine.value("tier");
const nothing: undefined = idoine.value("hero");
idoine.subscribe("offer", (decision, value) => console.log(decision?.reason, value?.label));
idoine.decide({ slots: ["hero", "offer"] });
idoine.track("Order Completed", { order_id: "1", revenue: 2, currency: "EUR", search: { term: "x" }, products: [{ price: 1 }], "gift-wrap": true });
idoine.track("Signed up – twice", { anything: 1 });
idoine.track("Product Viewed", { product_id: "p1" });
idoine.track("NPS Answered");
idoine.identify("u1", { plan: "free", seats: 3, topics: ["a"], since: "2026-01-01T00:00:00Z" });
idoine.profile().then(({ plan, visits }) => [plan === "free", visits]);
const goal: keyof Site["goals"] = "sign-up";
const value: Site["goals"]["purchase"] = 2;
`;
const WRONG = `
idoine.decision("heroes");
idoine.decide({ slots: ["hero", "ofer"] });
idoine.value("offer")?.percents;
const text: string | undefined = idoine.value("tier");
idoine.subscribe("ofer", () => {});
idoine.observe("her", document.body);
idoine.track("Order Complete");
idoine.track("page");
idoine.track("Order Completed", { order_id: 1, search: { term: "x" }, products: [] });
idoine.track("Order Completed", { search: { term: "x" }, products: [] });
idoine.track("Order Completed", { order_id: "1", search: { term: "x" }, products: [], revenu: 2 });
idoine.track("Order Completed", { order_id: "1", search: { term: "x" }, products: [{ price: 1 }], currency: "GBP" });
idoine.identify("u1", { plan: "pro" });
idoine.identify("u1", { plans: "free" });
const goal: keyof Site["goals"] = "sign_up";
`;

/** What the compiler says of two files that use the site's client: lines of each. */
function errors(declaration: string): { right: number[]; wrong: number[]; all: string } {
  const folder = mkdtempSync(join(tmpdir(), "idoine-types-"));
  try {
    const head = `import { createIdoine, type Site } from "idoine"; const idoine = createIdoine();`;
    writeFileSync(join(folder, "idoine.d.ts"), declaration);
    writeFileSync(join(folder, "right.ts"), head + RIGHT);
    writeFileSync(join(folder, "wrong.ts"), head + WRONG);
    const compilerOptions = { paths: { idoine: [join(ROOT, "www/npm/src/index.browser.ts")] }, types: [], skipLibCheck: false };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(ROOT, "tsconfig.json"), compilerOptions, include: ["*.ts"] }));
    const { stdout } = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"], { encoding: "utf8" });
    // Of what is wrong with the package itself, other tests tell.
    const lines = (file: string) => [...new Set([...stdout.matchAll(new RegExp(`^[^\\s(]*${file}\\((\\d+),`, "gm"))].map(([, line]) => Number(line)))];
    return { right: [...lines("right.ts"), ...lines("idoine.d.ts")], wrong: lines("wrong.ts"), all: stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("names that the site does not have are errors, and all that it has are none", () => {
  const declaration = execFileSync(join(ROOT, "dist/bin/idoine"), ["types", join(ROOT, "tests/spec/types/site.jsonc")], { encoding: "utf8" });
  const { right, wrong, all } = errors(declaration);
  assert.deepEqual(right, [], all);
  assert.deepEqual(wrong, WRONG.trim().split("\n").map((_, index) => index + 2), all);
});

test("without a declaration any name goes", () => {
  const { wrong, all } = errors("export {};");
  // What is left is what the client itself asks for: a value is unknown, not a text.
  assert.deepEqual(wrong, [4, 5], all);
});
