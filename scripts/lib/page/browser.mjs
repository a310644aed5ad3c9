// Chromium as the benchmark of pages needs it: a visitor's phone on a slow network, what the page felt like, and what is left in memory.
import { chromium } from "playwright-core";

/** Slow 4G and a slow phone, with the figures by which Lighthouse has the browser slow itself down. */
export const PHONE = { cpu: 4, latencyMs: 562.5, downKbps: 1474.56, upKbps: 675 };

const DEVICE = {
  userAgent: "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Mobile Safari/537.36",
  viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75, hasTouch: true, isMobile: true, locale: "en-GB",
};

/** A browser of this benchmark's own. */
export const launch = (env = process.env) =>
  chromium.launch({
    executablePath: env.IDOINE_CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** What a page notes of itself while it loads. Runs in the page, before anything else. */
function note() {
  const seen = (window.measured = { blocked: 0, longest: 0, shift: 0, paint: 0 });
  const watch = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  watch("longtask", ({ duration }) => {
    seen.blocked += Math.max(0, duration - 50);
    seen.longest = Math.max(seen.longest, duration);
  });
  watch("layout-shift", ({ value, hadRecentInput }) => void (hadRecentInput || (seen.shift += value)));
  watch("largest-contentful-paint", ({ startTime }) => void (seen.paint = startTime));
}

/** A visit by a new visitor. `throttle` false: as quick as the machine is. */
export async function visit(browser, { throttle = true, init } = {}, use) {
  const context = await browser.newContext(DEVICE);
  try {
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    const cdp = await context.newCDPSession(page);
    await cdp.send("Network.enable");
    if (throttle) {
      await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: PHONE.latencyMs, downloadThroughput: (PHONE.downKbps * 1000) / 8, uploadThroughput: (PHONE.upKbps * 1000) / 8 });
      await cdp.send("Emulation.setCPUThrottlingRate", { rate: PHONE.cpu });
    }
    await page.addInitScript(note);
    if (init) await page.addInitScript(init.run, init.of);
    const result = await use(page, cdp);
    if (errors.length > 0) throw new Error(`the page has thrown: ${errors.join("; ")}`);
    return result;
  } finally {
    await context.close();
  }
}

/** What a page keeps once all garbage is collected: bytes of the heap, nodes of documents, listeners. */
export async function kept(cdp) {
  await cdp.send("Performance.enable");
  // A second time, for what the first one's finalizers have let go.
  for (let times = 0; times < 2; times += 1) await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
}
