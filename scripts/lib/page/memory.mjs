// Whether a page that is never left grows: a single-page application behind the Worker whose routes change, each with decisions of its own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DIST } from "../paths.mjs";
import { kept, visit } from "./browser.mjs";
import { json, script, serve } from "./server.mjs";

const asset = (name) => script(readFileSync(join(DIST, "assets", "_idoine", name)));
const decision = (slot) => ({ slot, experience: `${slot}-all`, variant: 1, source: "personalization", reason: "match" });

/** What the Worker answers: edits of every kind that puts something into the page, in words of the route. */
function decided(body) {
  const { pathname } = new URL(JSON.parse(body).url);
  const edits = [
    { slot: "hero", selector: "h1", op: "text", value: `Decided for ${pathname}` },
    { slot: "lead", selector: "#lead", op: "html", value: `<b>${pathname}</b> <i>and more</i>` },
    { slot: "bar", selector: "main", op: "before", value: `<nav>${pathname}</nav>` },
    { slot: "card", selector: "#card", op: "replace", value: `<section><p>${pathname}</p></section>` },
    { slot: "link", selector: "a", op: "attribute", name: "href", value: pathname },
  ];
  return json({ version: "00112233aabbccdd", decisions: edits.map(({ slot }) => decision(slot)), edits });
}

/** The application: each route is rendered anew by its own code. */
const PAGE = `<!doctype html><html><head><meta charset="utf-8"><title>Application</title>
<script type="application/json" id="idoine-state">{"version":"00112233aabbccdd","decisions":[],"values":{}}</script>
<script async src="/_idoine/idoine.js"></script></head><body><div id="app"></div><script>
  function render() { document.getElementById("app").innerHTML = "<h1>Route " + location.pathname + "</h1><main><p id=lead>Lead</p><div id=card>Card</div><a href=/>Link</a></main>"; }
  function go(path) { history.pushState(null, "", path); render(); }
  render();
</script></body></html>`;

/**
 * What the page keeps after each round of so many changes of its route, the first round being what it takes to settle.
 * @param {{rounds: number, routes: number, progress?: (round: number) => void}} plan
 */
export async function routesMemory(browser, { rounds, routes, progress = () => {} }) {
  const files = Object.fromEntries(["idoine.js", "live.js"].map((name) => [`/_idoine/${name}`, asset(name)]));
  const site = await serve({ ...files, "/_idoine/decide": decided, "/_idoine/collect": json({ results: [] }), "*": PAGE });
  try {
    return await visit(browser, { throttle: false }, async (page, cdp) => {
      await page.goto(`${site.origin}/`);
      await page.waitForFunction(() => window.idoine?.ready);
      await page.evaluate(() => window.idoine.ready);
      // Routes are followed once that chunk is there, which a call waits for. Of who agreed to nothing it sends nothing.
      await page.evaluate(() => window.idoine.track("Seen"));
      const rows = [];
      for (let round = 0; round <= rounds; round += 1) {
        await page.evaluate(async (count) => {
          for (let at = 0; at < count; at += 1) {
            const path = `/route-${at % 10}`;
            window.go(path);
            // Decisions come with an answer, and are shown in a task of their own.
            while (document.querySelector("h1").textContent !== `Decided for ${path}`) await new Promise((resolve) => setTimeout(resolve));
          }
          performance.clearResourceTimings();
        }, routes);
        // What watches the page for changes lets go of the last route when it is done with it.
        await page.waitForTimeout(300);
        rows.push(await kept(cdp));
        progress(round);
      }
      return rows;
    });
  } finally {
    await site.close();
  }
}
