// The preference centre as the Worker's own page, through the real Worker in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker, type TestOrigin, type TestWorker } from "../worker/harness.ts";
import { problems } from "./fixtures/access.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  worker = await startWorker({ origin: origin.url, manifest: { site: { id: "shop", hosts: ["127.0.0.1"] } } });
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), origin.close()]);
});

test("the page shows the choice and keeps it, in the visitor's language, and violates nothing of its own policy", async (t) => {
  const tab = await visit(t, { locale: "fr-FR" });
  const errors: string[] = [];
  tab.on("console", (message) => /policy|trusted/i.test(message.text()) && errors.push(message.text()));
  await tab.goto(`http://127.0.0.1:${worker.address.port}/_idoine/preferences`);
  assert.equal(await tab.title(), "Vos données et vos choix");
  assert.equal(await tab.getByRole("heading", { level: 1 }).textContent(), "Vos données et vos choix");
  assert.equal(await tab.getByRole("link", { name: "Retour au site" }).getAttribute("href"), "/");
  const analytics = tab.getByRole("switch", { name: "Mesure d’audience" });
  assert.equal(await analytics.isChecked(), false);
  assert.deepEqual(await tab.context().cookies(), []);
  assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  await analytics.click();
  await tab.getByRole("status").filter({ hasText: "Enregistré." }).waitFor();
  await tab.reload();
  assert.equal(await analytics.isChecked(), true);
  assert.deepEqual(errors, []);
});
