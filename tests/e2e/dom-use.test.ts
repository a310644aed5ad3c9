// What the visitor is using is not taken away by an edit, and slots whose space is reserved shift nothing.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import type { Edit } from "../../www/src/types.ts";
import { assets } from "./fixtures/artefacts.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { answer, HERO, page } from "./fixtures/pages.ts";
import { json, serve } from "./fixtures/server.ts";

after(closeBrowser);

const MODULE = '<script type="module">import { createIdoine } from "/_idoine/client.js"; globalThis.client = createIdoine({ auto: false });</script>';

/** A second of silence. */
function silence(): string {
  const wave = Buffer.alloc(44 + 8000);
  wave.write("RIFF", 0);
  wave.writeUInt32LE(36 + 8000, 4);
  wave.write("WAVEfmt ", 8);
  wave.writeUInt32LE(16, 16);
  wave.writeUInt16LE(1, 20);
  wave.writeUInt16LE(1, 22);
  wave.writeUInt32LE(8000, 24);
  wave.writeUInt32LE(8000, 28);
  wave.writeUInt16LE(1, 32);
  wave.writeUInt16LE(8, 34);
  wave.write("data", 36);
  wave.writeUInt32LE(8000, 40);
  return `data:audio/wav;base64,${wave.fill(128, 44).toString("base64")}`;
}

const edit = (op: Edit["op"], selector: string, value?: string, name?: string): Edit => ({ slot: "hero", selector, op, ...(name && { name }), ...(value && { value }) });
const FIRST = edit("attribute", "body", "yes", "data-on");

/** A page whose renderer is at work. What is decided next is returned to be changed. */
async function open(t: TestContext, body: string): Promise<{ tab: Page; decide(...edits: Edit[]): Promise<void> }> {
  let edits: Edit[] = [FIRST];
  const shop = await serve({ ...assets("client.js", "edits.js"), "/": page(MODULE, body), "/_idoine/decide": () => json(answer([HERO], edits)) });
  t.after(() => shop.close());
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await tab.waitForFunction(() => "client" in globalThis);
  const decide = async (...wanted: Edit[]): Promise<void> => {
    edits = wanted;
    await tab.evaluate(async () => void (await client.decide()));
    await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  };
  await decide(FIRST);
  await tab.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/edits.js")));
  await decide(FIRST);
  return { tab, decide };
}

const TAKEN: [name: string, edit: Edit][] = [
  ["html", edit("html", "#slot", "<b>New</b>")],
  ["replace", edit("replace", "#slot", "<b>New</b>")],
  ["remove", edit("remove", "#slot")],
  ["hide", edit("hide", "#slot")],
];

const gone = (tab: Page): Promise<unknown> => tab.waitForFunction(() => !document.querySelector("#slot > *:not(b)")?.checkVisibility());

for (const [name, one] of TAKEN) {
  test(`${name} waits for what plays`, async (t) => {
    const sound = await open(t, `<div id="slot"><audio loop src="${silence()}"></audio><i>Old</i></div>`);
    // Without the visitor's gesture only what is silent may play.
    await sound.tab.evaluate(async () => {
      const audio = document.querySelector("audio")!;
      audio.muted = true;
      await audio.play();
    });
    await sound.decide(one);
    assert.deepEqual(await sound.tab.evaluate(() => [document.querySelector("audio")!.paused, document.querySelector("i")!.checkVisibility()]), [false, true]);
    await sound.tab.evaluate(() => document.querySelector("audio")!.pause());
    await gone(sound.tab);
  });

  test(`${name} waits for what is scrolled`, async (t) => {
    const box = await open(t, '<div id="slot"><div id="box" style="height: 50px; overflow: auto"><p style="height: 500px">Old</p></div></div>');
    await box.tab.evaluate(() => (document.querySelector("#box")!.scrollTop = 70));
    await box.decide(one);
    assert.equal(await box.tab.evaluate(() => document.querySelector("#box")!.scrollTop), 70);
    await box.tab.evaluate(() => (document.querySelector("#box")!.scrollTop = 0));
    await gone(box.tab);
  });

  test(`${name} waits for what is entered`, async (t) => {
    const form = await open(t, '<div id="slot"><form><input><input type="checkbox"></form></div><button>Else</button>');
    await form.tab.click("[type=checkbox]");
    await form.tab.click("button");
    await form.decide(one);
    assert.ok(await form.tab.isChecked("[type=checkbox]"));
    await form.tab.evaluate(() => document.querySelector("form")!.reset());
    await gone(form.tab);
  });

  test(`${name} waits for nothing in the background`, async (t) => {
    const plain = await open(t, `<div id="slot"><audio autoplay muted loop src="${silence()}"></audio><i>Old</i></div>`);
    await plain.decide(one);
    await gone(plain.tab);
  });
}

test("elements are moved with what they hold, go back, wait for their target, and stay where the page puts them", async (t) => {
  const { tab, decide } = await open(t, '<main><p id="a">a</p><section id="s"><input id="field"><iframe srcdoc="x"></iframe></section><p id="z">z</p></main><footer></footer>');
  const order = (): Promise<string> => tab.evaluate(() => [...document.querySelectorAll("main > *, footer > *")].map((one) => one.parentElement!.localName[0] + "." + one.id).join(" "));
  await tab.evaluate(() => ((document.querySelector("iframe")!.contentWindow as any).kept = 1));
  await tab.focus("#field");
  await tab.keyboard.type("ab");
  await decide(edit("move", "#s", "footer", "last"));
  assert.equal(await order(), "m.a m.z f.s");
  await tab.keyboard.type("c");
  assert.deepEqual(await tab.evaluate(() => [(document.activeElement as HTMLInputElement).value, (document.querySelector("iframe")!.contentWindow as any).kept]), ["abc", 1]);
  await decide();
  assert.equal(await order(), "m.a m.s m.z");
  assert.equal(await tab.evaluate(() => document.activeElement!.id), "field");
  await decide(edit("move", "#a", "#later", "after"));
  assert.equal(await order(), "m.a m.s m.z");
  await tab.evaluate(() => document.querySelector("footer")!.insertAdjacentHTML("beforeend", '<i id="later"></i>'));
  await tab.waitForFunction(() => document.querySelector("#later + #a"));
  await decide(edit("reorder", "main", '["#z"]'));
  assert.equal(await order(), "m.z m.a m.s f.later");
  await decide();
  assert.equal(await order(), "m.a m.s m.z f.later");
  // Put elsewhere by the page in the moment in which the edit is no longer wanted.
  await decide(edit("move", "#z", "#a", "before"));
  assert.equal(await order(), "m.z m.a m.s f.later");
  await tab.evaluate(async () => {
    const done = fetch("/_idoine/decide", { method: "POST" });
    document.querySelector("footer")!.append(document.querySelector("#z")!);
    client.stop();
    await done;
  });
  assert.equal(await order(), "m.a m.s f.later f.z");
});

test("a slot whose space is reserved shifts nothing when it is filled", async (t) => {
  const { tab, decide } = await open(t, '<div id="slot" style="min-height: 200px"></div><p>Below</p><div id="loose"></div><p>End</p>');
  const shifts = (): Promise<number> =>
    tab.evaluate(
      () =>
        new Promise<number>((done) => {
          let sum = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += (entry as any).value))).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => done(sum), 300);
        }),
    );
  await decide(edit("html", "#slot", '<div style="height: 150px">New</div>'));
  assert.equal(await shifts(), 0);
  await decide(edit("html", "#slot", '<div style="height: 150px">New</div>'), edit("html", "#loose", '<div style="height: 150px">New</div>'));
  assert.ok((await shifts()) > 0, "what is not reserved does");
});
