// What the tests of the page cache share: a Worker whose clock a test sets and that tells what its cache did, and an origin that
// says what a test wants to be kept.

import assert from "node:assert/strict";
import type { OutgoingHttpHeaders, RequestListener } from "node:http";
import { startOrigin, startWorker } from "./harness.ts";
import type { Init, Options, Reply, TestOrigin, TestWorker } from "./harness.ts";

/** The counts of `report` in worker/js/variants.js. */
export interface Report {
  hit: number;
  variant: number;
  stale: number;
  miss: number;
  bypass: Record<string, number>;
  kept: { pages: number; variants: number };
  not_kept: Record<string, number>;
  over_cap: number;
  renewed: number;
  pages: number;
  kept_variants: number;
  most_variants: number;
}

/** Every page below `/p/` is edited: by the country, by the visitor's place, by the visitor having been here before. */
export const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example"], timezone: "Europe/Paris" },
  slots: { title: { selector: "h1", pages: ["/p/*"] }, lead: { selector: "p.lead", pages: ["/p/*"] }, button: { selector: "a.buy", pages: ["/p/*"] } },
  experiences: [
    { id: "canada", type: "personalization", audience: "geo.country == 'CA'", slots: { title: { text: "Hello, Canada" } } },
    { id: "near", type: "personalization", audience: "has(geo.city)", slots: { lead: { text: "Near {{ geo.city }}" } } },
    { id: "again", type: "personalization", audience: "visitor.returning", slots: { button: { text: "Again: {{ visitor.returning | \"no\" }}" } } },
  ],
};

export const page = (title: string) =>
  `<!doctype html><html><head><meta charset="utf-8"><title>t</title></head><body><h1>${title}</h1><p class="lead">-</p><a class="buy">Buy</a></body></html>`;

/** How far the clock of the Worker and the origin is ahead, in seconds. */
let ahead = 0;

/** An answer of the origin, dated by that clock. */
export const answer =
  (body: string | Buffer, headers: OutgoingHttpHeaders = {}, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "text/html; charset=utf-8", date: dated(), ...headers }).end(body);

export const dated = (seconds = 0) => new Date(Date.now() + (ahead + seconds) * 1000).toUTCString();

/** The Worker's clock is ahead by what a request says; `x-report` asks for the report. */
export const CLOCKED: Options = {
  parts: ["variants.js"],
  before: `
    let ahead = 0;
    const clock = Date.now;
    Date.now = () => clock() + ahead * 1000;`,
  around: `
    if (request.headers.has("x-ahead")) ahead = Number(request.headers.get("x-ahead"));
    if (request.headers.has("x-report")) return Response.json(parts.report());
    return worker.fetch(request, env, ctx);`,
};

let paths = 0;

/** A page that no other test asks for. */
export const newPath = () => `/p/${(paths += 1)}`;

export class Kept {
  readonly origin: TestOrigin;
  readonly worker: TestWorker;

  constructor(origin: TestOrigin, worker: TestWorker) {
    this.origin = origin;
    this.worker = worker;
  }

  static async start(options: Options = {}): Promise<Kept> {
    ahead = 0;
    const origin = await startOrigin();
    return new Kept(origin, await startWorker({ origin: origin.url, manifest: MANIFEST, ...CLOCKED, ...options }));
  }

  async stop(): Promise<void> {
    await this.worker.dispose();
    await this.origin.close();
  }

  /** Sets the clock of the Worker and the origin. */
  async setAhead(seconds: number): Promise<void> {
    ahead = seconds;
    await this.worker.fetch("/", { headers: { "x-ahead": String(seconds), "x-report": "1" } });
  }

  async report(): Promise<Report> {
    return (await this.worker.fetch("/", { headers: { "x-report": "1" } })).json<Report>();
  }

  /** How often the origin was asked for a path. */
  asked(path: string): number {
    return this.origin.received.filter(({ url }) => url === path).length;
  }

  async until(check: (report: Report) => boolean, what: string): Promise<Report> {
    for (let tries = 0; tries < 500; tries += 1) {
      const report = await this.report();
      if (check(report)) {
        return report;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.fail(`${what}: ${JSON.stringify(await this.report())} ${this.worker.logs.slice(-3).join("\n")}`);
  }

  /** A visit after which the cache has kept one page more, or none for the reason that is expected. */
  async visit(path: string, init: Init = {}, expected = "kept"): Promise<Reply> {
    const before = await this.report();
    const reply = await this.worker.fetch(path, init);
    const after = await this.until(
      ({ kept, not_kept }) => kept.pages > before.kept.pages || sum(not_kept) > sum(before.not_kept),
      `a page is kept or not (${expected})`,
    );
    const [reason] = Object.keys(after.not_kept).filter((name) => after.not_kept[name] !== before.not_kept[name]);
    assert.equal(reason ?? "kept", expected);
    return reply;
  }

  /** What the cache counted of one visit: "hit", "bypass cookie". */
  async outcome(path: string, init: Init = {}): Promise<{ reply: Reply; outcome: string }> {
    const before = await this.report();
    const reply = await this.worker.fetch(path, init);
    const after = await this.report();
    const plain = (["hit", "variant", "stale", "miss"] as const).filter((name) => after[name] !== before[name]);
    const reasons = Object.keys(after.bypass).filter((name) => after.bypass[name] !== before.bypass[name]);
    return { reply, outcome: [...plain, ...reasons.map((reason) => `bypass ${reason}`)].join(", ") };
  }
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

export const heading = ({ text }: Reply) => /<h1[^>]*>(.*?)<\/h1>/s.exec(text)?.[1];
