// A steady load on the Worker while faults come and go, programs are published and workerd is ended and started again. Of every response it
// is known what it may be; none may be missing, none may hang, every event that was acknowledged counts once, and memory has to stay where it is.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { summary } from "../bench/measure.mjs";
import { LOCAL } from "../paths.mjs";
import { digest, startFaultyOrigin, withFaults } from "./faults.mjs";
import { COUNT, KEY, Ledger, TOKEN } from "./ledger.mjs";
import { memory } from "./measure.mjs";
import { page } from "./site.mjs";
import { compile, idoine, publish, workerdOf } from "./workers.mjs";

/** What is switched on, one after the other, with calm between. */
const FAULTS = [{ kv: "down" }, { kv: "slow" }, { origin: "slow" }, { origin: "down" }, { origin: "cut" }, { origin: "error" }, { trap: true }, { program: "damaged" }, { kv: "down", trap: true, origin: "slow" }];
const CALM_MS = 2000;
const FAULT_MS = 3000;
const CLIENTS = 16;
const VISITORS = 200;
/** When workerd is ended and started again, as shares of the time: early, as memory is watched from then on. Once more at the end. */
const RESTARTS = [0.05, 0.1, 0.15];
/** How long events that were kept, and not folded as something trapped, may wait until they count. */
const SETTLED_MS = 60_000;
/** A request that takes longer hangs. */
const LONGEST_MS = 20_000;
/** How long after a fault its effects may be seen: what the Worker waits for its store, and for it to look again. */
const AFTER_MS = 4000;
/** Memory at the end, against that after the first third: at most so many times as much, and so many MB. */
const GROWTH = { times: 1.15, more: 24 };

const WORDS = ["First words", "Second words"];
const site = (words) => ({
  site: { id: "soak", hosts: ["shop.example"], timezone: "UTC" },
  slots: { headline: { selector: "header h1", pages: ["/page", "/stream"] }, note: { selector: "#note", pages: ["/note"] } },
  experiences: [
    { id: "all", type: "personalization", slots: { headline: { text: words } } },
    { id: "seen", type: "personalization", audience: `${COUNT} >= 1`, slots: { note: { text: words } } },
  ],
});

const STATE = /<script type="application\/json" id="idoine-state">.*?<\/script><script[^>]*><\/script>/s;
const HEADING = /(<header.*?<h1[^>]*>)(.*?)(<\/h1>)/s;

/** Sends a request: status and body, or how it broke off. */
function send(port, agent, { method = "GET", path, headers = {}, body }) {
  return new Promise((resolve) => {
    const begun = performance.now();
    const done = (found) => resolve({ ...found, begun, ended: performance.now() });
    const request = httpRequest({ port, host: "127.0.0.1", agent, method, path, headers: { host: "shop.example", ...headers }, timeout: LONGEST_MS }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => done({ status: response.statusCode, body: Buffer.concat(chunks) }));
      response.on("error", (error) => done({ status: response.statusCode, broke: error.message }));
    });
    request.on("timeout", () => request.destroy(new Error("hangs")));
    request.on("error", (error) => done({ broke: error.message }));
    request.end(body);
  });
}

/** The kinds of requests: what is sent, and what is wrong with an answer, given what was on while it came. */
function kinds(html, file, ledger) {
  const plain = html.toString();
  const upload = Buffer.alloc(100_000, "upload ");
  /** What any answer of the origin may have become. */
  const atOrigin = ({ status, broke }, on) => {
    if (broke !== undefined && (on.has("cut") || on.has("down")) && broke !== "hangs") return "broke off";
    if (broke !== undefined && on.has("restart") && broke !== "hangs") return "broke off";
    if ([502, 503, 504].includes(status) && (on.has("down") || on.has("error") || on.has("cut"))) return "the origin's error";
    return undefined;
  };
  const isPage = (answer, on) => {
    if (answer.status !== 200 || answer.broke !== undefined) return atOrigin(answer, on);
    const text = answer.body.toString();
    // A trap costs a page its edits, and those beside it theirs; one that has just started waits for its store, within limits.
    if (text === plain) return on.has("trap") || on.has("restart") ? "as the origin sent it" : undefined;
    const words = HEADING.exec(text)?.[2];
    return WORDS.includes(words) && text.replace(STATE, "").replace(HEADING, "$1Shop in style$3") === plain ? "personalised" : undefined;
  };
  return [
    { name: "page", share: 8, make: () => ({ path: "/page" }), judge: isPage },
    { name: "stream", share: 2, make: () => ({ path: "/stream" }), judge: isPage },
    { name: "file", share: 2, make: () => ({ path: "/file" }), judge: (answer, on) => (answer.body?.equals(file) ? "as the origin sent it" : atOrigin(answer, on)) },
    {
      name: "upload",
      share: 2,
      make: () => ({ path: "/upload", method: "POST", headers: { "content-type": "application/octet-stream" }, body: upload }),
      judge: (answer, on) => (answer.body?.toString() === digest(upload) ? "as the origin sent it" : atOrigin(answer, on)),
    },
    {
      name: "api",
      share: 2,
      make: () => ({ path: "/_idoine/decide?url=https%3A%2F%2Fshop.example%2Fpage" }),
      judge: ({ status, body, broke }, on) => {
        if (status === 200 && JSON.parse(body).decisions.length === 1) return "decided";
        if (status === 503 && (on.has("trap") || on.has("restart"))) return "says that it can't";
        return broke !== undefined && on.has("restart") ? "broke off" : undefined;
      },
    },
    {
      name: "collect",
      share: 4,
      make: () => ledger.next(),
      judge: (answer, on, { event }) => {
        if (ledger.note(event, answer)) return "acknowledged";
        if (answer.broke !== undefined) return on.has("restart") && answer.broke !== "hangs" ? "broke off, sent again" : undefined;
        // A trap ends the instance for all that are in it; one that has just started may have no program yet.
        return answer.status === 503 && (on.has("trap") || on.has("restart")) ? "refused, sent again" : undefined;
      },
    },
  ];
}

/**
 * Runs for some minutes.
 * @param {{minutes: number, say: (text: string) => void}} plan
 * @returns {Promise<{requests: number, outcomes: object, wrong: object[], memory: object, faults: object, ok: boolean}>}
 */
export async function soak({ minutes, say }, env) {
  const html = Buffer.from(page(40_000));
  const file = Buffer.alloc(200_000, "\0\x01file\xff", "latin1");
  const origin = await startFaultyOrigin(html, file);
  const programs = [await compile(site(WORDS[0]), env), await compile(site(WORDS[1]), env)];
  const damaged = { version: "damaged", bytes: Buffer.from("no program at all") };
  const worker = withFaults(idoine({ ORIGIN: origin.url, IDOINE_SITE: "soak", IDOINE_RELOAD_SECONDS: "1", IDOINE_KEY: KEY, IDOINE_TOKENS: `read:soak:${TOKEN}` }));
  mkdirSync(LOCAL, { recursive: true });
  const folder = mkdtempSync(join(LOCAL, "soak-"));
  const start = () =>
    new Miniflare(
      convertV4MiniflareOptions({
        cf: false,
        resourcePersistencePath: folder,
        handleStructuredLogs: () => {},
        workers: [{ ...worker, durableObjects: { PROFILES: { className: "Profiles", useSQLite: true } }, unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] }],
      }),
    );
  let miniflare = start();
  const ledger = new Ledger(VISITORS);
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + 2 });
  const sockets = { host: "shop.example" };
  const found = { requests: 0, outcomes: {}, wrong: [], steps: [] };
  try {
    await publish(miniflare, "soak", programs[0]);
    let port;
    let pid;
    const look = async () => {
      port = Number((await miniflare.unsafeGetDirectURL("idoine")).port);
      pid = workerdOf();
    };
    await look();
    const end = performance.now() + minutes * 60_000;
    /** What was on, each with when it began and when its effects are over. */
    const history = [];
    const during = ({ begun, ended }) => new Set(history.filter((one) => one.begun <= ended && (one.ended ?? Infinity) + AFTER_MS >= begun).flatMap(({ on }) => Object.values(on).map((value) => (value === true ? "trap" : value))));

    const set = async (on) => {
      origin.on.origin = on.origin ?? "";
      await send(port, agent, { path: "/", headers: { ...sockets, "x-soak": JSON.stringify(on) } });
      if (on.program === "damaged") await publish(miniflare, "soak", damaged);
    };
    /** Ends workerd as a failure of the machine would, and starts it on what lies on disk. */
    const restart = async () => {
      const entry = { on: { workerd: "restart" }, begun: performance.now() };
      history.push(entry);
      process.kill(pid, "SIGKILL");
      await miniflare.dispose().catch(() => {});
      miniflare = start();
      await look();
      entry.ended = performance.now();
      found.steps = [];
    };
    const restarts = RESTARTS.map((share) => performance.now() + share * (end - performance.now()));
    const faults = async () => {
      let version = 0;
      for (let at = 0; performance.now() < end; at++) {
        await wait(CALM_MS);
        if (performance.now() >= end) break;
        if (performance.now() >= restarts[0]) {
          restarts.shift();
          await restart();
          await wait(CALM_MS);
        }
        const on = FAULTS[at % FAULTS.length];
        const entry = { on, begun: performance.now() };
        history.push(entry);
        await set(on);
        await wait(FAULT_MS);
        await set({});
        entry.ended = performance.now();
        version = 1 - version;
        await publish(miniflare, "soak", programs[version]);
      }
    };
    const all = kinds(html, file, ledger);
    const order = all.flatMap((kind) => Array.from({ length: kind.share }, () => kind));
    const client = async (number) => {
      for (let at = number * 5; performance.now() < end; at++) {
        const kind = order[(at * 7) % order.length];
        const sent = kind.make();
        const answer = await send(port, agent, sent);
        found.requests += 1;
        const on = during(answer);
        let outcome;
        try {
          outcome = kind.judge(answer, on, sent);
        } catch {
          // Not even of the form that it should have: as wrong as another.
        }
        const counted = (found.outcomes[kind.name] ??= {});
        counted[outcome ?? "wrong"] = (counted[outcome ?? "wrong"] ?? 0) + 1;
        if (outcome === undefined && found.wrong.length < 20) {
          found.wrong.push({ kind: kind.name, on: [...on], status: answer.status, broke: answer.broke, ms: Math.round(answer.ended - answer.begun), body: answer.body?.subarray(0, 200).toString() });
        }
        await wait(10);
      }
    };
    // The first request loads the program.
    await send(port, agent, { path: "/page" });
    await wait(1000);
    const begun = performance.now();
    const watch = async () => {
      for (let said = begun; performance.now() < end; await wait(1000)) {
        found.steps.push({ minute: (performance.now() - begun) / 60_000, mb: memory(pid) });
        if (performance.now() - said >= 30_000) {
          said = performance.now();
          const mb = found.steps.at(-1).mb;
          say(`${((said - begun) / 60_000).toFixed(1)} min: ${found.requests} requests, ${found.wrong.length} wrong${mb === undefined ? "" : `, workerd has ${Math.round(mb)} MB`}`);
        }
      }
    };
    await Promise.all([faults(), watch(), ...Array.from({ length: CLIENTS }, (_, number) => client(number))]);
    const grown = growth(found.steps);
    await restart();
    const events = await settle(ledger, (request) => send(port, agent, request));
    const counts = {};
    for (const { on } of history) {
      const name = Object.entries(on).map(([key, value]) => `${key} ${value}`).join(", ");
      counts[name] = (counts[name] ?? 0) + 1;
    }
    const { requests, outcomes, wrong } = found;
    const isWhole = Object.values(outcomes).every((counted) => counted.wrong === undefined);
    return { requests, outcomes, wrong, faults: counts, memory: grown, events, ok: isWhole && grown.isFlat && events.ok };
  } finally {
    agent.destroy();
    await miniflare.dispose();
    await origin.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends again what was not acknowledged, and compares what was with what profiles count, until they agree or the time is over. */
async function settle(ledger, ask) {
  const end = performance.now() + SETTLED_MS;
  for (let left = ledger.owed; left > 0 && performance.now() < end; left = ledger.owed) {
    const { event, ...request } = ledger.next();
    if (!ledger.note(event, await ask(request))) await wait(100);
  }
  const read = async (request) => {
    const { status, body } = await ask(request);
    return status === 200 ? JSON.parse(body).readings : {};
  };
  let differences = await ledger.differences(read);
  while (differences.length > 0 && performance.now() < end) {
    await wait(500);
    differences = await ledger.differences(read);
  }
  return { acknowledged: ledger.acknowledged, owed: ledger.owed, differences: differences.slice(0, 20), ok: ledger.owed === 0 && differences.length === 0 };
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Memory after the first third, in which caches fill up, and at the end; the slope of the line through the rest, in MB a minute. */
export function growth(steps) {
  const known = steps.filter(({ mb }) => mb !== undefined);
  if (known.length < 6) return { isFlat: true, why: "too short a time, or no /proc here, to tell" };
  const rest = known.slice(Math.floor(known.length / 3));
  const part = Math.ceil(rest.length / 4);
  const early = summary(rest.slice(0, part).map(({ mb }) => mb)).median;
  const late = summary(rest.slice(-part).map(({ mb }) => mb)).median;
  const mean = (of) => rest.reduce((sum, step) => sum + of(step), 0) / rest.length;
  const [x, y] = [mean(({ minute }) => minute), mean(({ mb }) => mb)];
  const slope = rest.reduce((sum, { minute, mb }) => sum + (minute - x) * (mb - y), 0) / rest.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0);
  const round = (number) => Number(number.toFixed(1));
  return { early: round(early), late: round(late), mbPerMinute: round(slope), isFlat: late <= early * GROWTH.times + GROWTH.more };
}
