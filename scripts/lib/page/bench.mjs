// What the snippet costs a page and how soon it shows what was decided: visits in turn, each by a new visitor on a slow phone.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Problem, say } from "../run.mjs";
import { launch, visit } from "./browser.mjs";
import { routesMemory } from "./memory.mjs";
import { EDITED, noteEdit, startWays } from "./ways.mjs";

export const FULL = { visits: 9, throttle: true, settleMs: 2500, rounds: 10, routes: 100 };
export const QUICK = { visits: 1, throttle: true, settleMs: 500, rounds: 1, routes: 20 };

/** The median of figures, and how far from it they are: the quarters around it, and the ends. */
export function spread(figures) {
  const sorted = [...figures].sort((one, other) => one - other);
  const at = (share) => {
    const place = (sorted.length - 1) * share;
    const below = sorted[Math.floor(place)];
    return below + (sorted[Math.ceil(place)] - below) * (place % 1);
  };
  return { median: at(0.5), from: at(0.25), to: at(0.75), least: sorted[0], most: sorted[sorted.length - 1] };
}

/** Of visits with several figures each, the spread of each figure. */
const spreads = (visits) => Object.fromEntries(Object.keys(visits[0]).map((name) => [name, spread(visits.map((one) => one[name]))]));

/** What the published pages load from other hosts comes from here: Bootstrap's script, and a grey picture. */
async function offline(page) {
  const bootstrap = readFileSync(join(dirname(createRequire(import.meta.url).resolve("bootstrap/package.json")), "dist/js/bootstrap.bundle.min.js"));
  await page.route((url) => !url.hostname.startsWith("127."), async (route) => {
    const { hostname, pathname } = new URL(route.request().url());
    const [, width, height] = /^\/(\d+)x(\d+)/.exec(pathname) ?? [];
    if (hostname === "dummyimage.com") return route.fulfill({ contentType: "image/svg+xml", body: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#dee2e6"/></svg>` });
    return pathname.endsWith("bootstrap.bundle.min.js") ? route.fulfill({ contentType: "text/javascript", body: bootstrap }) : route.abort();
  });
}

/** Visits each in turn, beginning with another one each time, so that what the machine does meanwhile falls on all of them. */
async function inTurn(names, times, what, use) {
  const found = Object.fromEntries(names.map((name) => [name, []]));
  for (let time = 0; time < times; time += 1) {
    for (let at = 0; at < names.length; at += 1) {
      const name = names[(at + time) % names.length];
      found[name].push(await use(name));
    }
    say(`${what}: ${time + 1} of ${times}`);
  }
  return Object.fromEntries(names.map((name) => [name, spreads(found[name])]));
}

/** The demo's home page behind the Worker with the snippet, and as its origin sends it. */
async function costs(browser, plan) {
  const { startShop } = await import("../../../tests/real/shop.ts");
  const shop = await startShop();
  try {
    const urls = { with: `${shop.url}/?utm_source=instagram&utm_medium=social`, without: `${shop.origin}/?utm_source=instagram&utm_medium=social` };
    const measure = (name) =>
      visit(browser, { throttle: plan.throttle }, async (page) => {
        await offline(page);
        await page.goto(urls[name], { waitUntil: "networkidle" });
        const isOurs = await page.evaluate(() => typeof window.idoine === "function" || window.idoine?.ready !== undefined);
        if (isOurs !== (name === "with")) throw new Problem(`the page ${name} the snippet ${isOurs ? "has it" : "does not have it"}. Nothing was measured.`);
        await page.waitForTimeout(plan.settleMs);
        const { blocked, longest, shift, paint } = await page.evaluate(() => window.measured);
        return { blockedMs: blocked, longestTaskMs: longest, layoutShift: shift, largestPaintMs: paint };
      });
    // The first page of an isolate waits for the store.
    await measure("with");
    return await inTurn(["with", "without"], plan.visits, "the demo's page", measure);
  } finally {
    await shop.close();
  }
}

/** From the script's tag, and from the beginning of the visit, to the edit. All must show the same page first. */
async function firstDecisions(browser, plan) {
  const started = await startWays();
  try {
    const open = (url, throttle, use) =>
      visit(browser, { throttle, init: { run: noteEdit, of: EDITED } }, async (page) => {
        await page.goto(url);
        await page.waitForFunction(() => window.edited !== undefined);
        return use(page);
      });
    const names = Object.keys(started.ways);
    const bodies = {};
    for (const name of names) bodies[name] = await open(started.ways[name].url, false, (page) => page.evaluate(() => document.body.innerHTML.trim()));
    for (const name of names) if (bodies[name] !== bodies.edge) throw new Problem(`${started.ways[name].name} shows another page. Nothing was measured.\n${bodies[name]}\n${bodies.edge}`);
    const times = await inTurn(names, plan.visits, "the first decision", (name) =>
      open(started.ways[name].url, plan.throttle, (page) => page.evaluate(() => ({ fromScriptMs: Math.max(0, window.edited - window.began), fromVisitMs: window.edited }))),
    );
    return Object.fromEntries(names.map((name) => [name, { name: started.ways[name].name, ...times[name] }]));
  } finally {
    await started.close();
  }
}

/** All of it. */
export async function bench(plan, env) {
  const browser = await launch(env);
  try {
    const page = await costs(browser, plan);
    const first = await firstDecisions(browser, plan);
    const memory = await routesMemory(browser, { rounds: plan.rounds, routes: plan.routes, progress: (round) => say(`routes: ${(round + 1) * plan.routes} of ${(plan.rounds + 1) * plan.routes}`) });
    return { chromium: browser.version(), visits: plan.visits, page, first, memory: { routes: plan.routes, rounds: memory } };
  } finally {
    await browser.close();
  }
}
