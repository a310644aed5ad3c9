// Publishing by the owner's API, and what isolates make of it: nothing becomes live that is not whole, nothing is lost, and who
// did what is known.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { compile, startOrigin, startWorker } from "./harness.ts";
import type { Init, Options, Reply, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";

const READ = "read-token-of-24-characters";
const PUBLISH = "publish-token-of-24-characters";
const SHORT = "only-23-characters-long";
const TOKENS = `read:reader:${READ}, publish:anna:${PUBLISH}\npublish:short:${SHORT} nonsense`;

let origin: TestOrigin;

before(async () => {
  origin = await startOrigin({ "/": PAGE });
});
after(() => origin.close());

const saying = (text: string, changes: Record<string, unknown> = {}) =>
  site({ experiences: [{ id: "all", type: "personalization", slots: { title: { text }, lead: { text } } }], ...changes });

const programs = new Map<string, Promise<{ program: Uint8Array; version: string }>>();

/** The program of a page that says something. */
function program(text: string) {
  const found = programs.get(text) ?? compile(saying(text));
  programs.set(text, found);
  return found;
}

const heading = async (worker: TestWorker, init: Init = {}) => /<h1>(.*?)<\/h1>/.exec((await worker.fetch("/", init)).text)?.[1];

async function using<T>(options: Options, run: (worker: TestWorker) => Promise<T>): Promise<T> {
  const worker = await startWorker({ origin: origin.url, ...options, vars: { IDOINE_TOKENS: TOKENS, ...options.vars } });
  try {
    return await run(worker);
  } finally {
    await worker.dispose();
  }
}

const until = async (check: () => Promise<boolean> | boolean, what: string) => {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await check()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(what);
};

/** Asks the owner's API. */
function api(worker: TestWorker, path: string, { token = PUBLISH, ...init }: Init & { token?: string | null } = {}): Promise<Reply> {
  const headers = { ...(init.headers as Record<string, string>), ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  return worker.fetch(`/_idoine/api/${path}`, { ...init, headers });
}

function post(worker: TestWorker, body: Uint8Array, query = "", token?: string): Promise<Reply> {
  return api(worker, `program${query}`, { method: "POST", body, headers: { "content-type": "application/octet-stream" }, ...(token && { token }) });
}

const rollback = (worker: TestWorker, body: object | string = {}) =>
  api(worker, "rollback", { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

const code = (reply: Reply) => `${reply.status} ${reply.json().error?.code}`;

const trail = async (worker: TestWorker) => (await api(worker, "audit", { token: READ })).json().entries as Record<string, string>[];

/**
 * A clock that stands still, `ahead` milliseconds behind the first request; and faults of the store. What the Worker would do after
 * 50 ms of waiting it does when `over` is set, and not before, so that no test depends on how fast it runs.
 */
const HOST = {
  before: `
    let ahead = 0;
    let fault = "";
    let over = false;
    let asked = [];
    const waits = [];
    const clock = Date.now;
    let start;
    Date.now = () => (start ??= clock()) + ahead;
    const later = globalThis.setTimeout;
    globalThis.setTimeout = (run, delay, ...rest) => {
      if (delay < 50) return later(run, delay, ...rest);
      waits.push(delay);
      const look = () => over ? run(...rest) : later(look, 5);
      return later(look, 5);
    };`,
  around: `
    if (request.headers.has("x-host")) {
      const set = JSON.parse(request.headers.get("x-host"));
      ahead = set.ahead ?? ahead;
      fault = set.fault ?? fault;
      over = set.over ?? over;
      const told = { asked, waits: [...waits], now: Date.now() - ahead };
      asked = [];
      return Response.json(told);
    }
    const store = env.PROGRAMS;
    const guarded = (name) => async (...args) => {
      asked.push(name + " " + (typeof args[0] === "string" ? args[0] : args[0].prefix));
      const [wanted, of] = fault.split(" ");
      const hit = of === undefined || (name + " " + args[0]).startsWith(of.replace("_", " "));
      if (wanted === "reject" && hit) throw new Error("the store is down");
      while (fault.startsWith("held") && hit) await scheduler.wait(5);
      return store[name](...args);
    };
    const PROGRAMS = Object.fromEntries(["get", "getWithMetadata", "put", "list"].map((name) => [name, guarded(name)]));
    return worker.fetch(request, { ...env, PROGRAMS }, ctx);`,
};

const host = async (worker: TestWorker, set: { ahead?: number; fault?: string; over?: boolean }) =>
  (await worker.fetch("/", { headers: { "x-host": JSON.stringify(set) } })).json<{ asked: string[]; waits: number[]; now: number }>();

test("only tokens of the list are let in, each by its role, and no word of them is logged", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const { program: bytes } = await program("two");
    for (const token of [null, "", SHORT, PUBLISH.toUpperCase(), `${PUBLISH}x`, PUBLISH.slice(0, -1), `${READ} ${PUBLISH}`, "anna", TOKENS.replace("\n", " ")]) {
      for (const reply of [await api(worker, "program", { token }), await api(worker, "audit", { token }), await api(worker, "rollback", { method: "POST", token })]) {
        assert.equal(code(reply), "401 unauthorized", String(token));
        assert.equal(reply.header("www-authenticate"), "Bearer");
      }
    }
    for (const authorization of [`Basic ${PUBLISH}`, PUBLISH, `Bearer${PUBLISH}`]) {
      assert.equal((await api(worker, "program", { token: null, headers: { authorization } })).status, 401, authorization);
    }
    assert.equal((await api(worker, "program", { token: null, headers: { authorization: `bearer  ${READ}` } })).status, 200);
    for (const [method, path] of [["POST", "program"], ["DELETE", "program?scheduled=0123456789abcdef"], ["POST", "rollback"]] as const) {
      const reply = await api(worker, path, { method, token: READ, body: bytes, headers: { "content-type": "application/octet-stream" } });
      assert.equal(code(reply), "403 forbidden", path);
    }
    assert.equal(await heading(worker), "one");
    assert.deepEqual(
      (await trail(worker)).map(({ by, action, what }) => [by, action, what]),
      [["reader", "refused", "POST /_idoine/api/rollback"], ["reader", "refused", "DELETE /_idoine/api/program"], ["reader", "refused", "POST /_idoine/api/program"]],
    );
    assert.equal(worker.logs.filter((line) => line.includes("bad_tokens")).length, 1);
    assert.ok(worker.logs.some((line) => line.includes("2 entries of IDOINE_TOKENS")));
    for (const token of [READ, PUBLISH, SHORT, "nonsense"]) {
      assert.ok(!worker.logs.some((line) => line.includes(token)), token);
    }
  }));

test("without tokens nobody is let in", () =>
  using({ manifest: saying("one"), vars: { IDOINE_TOKENS: "" } }, async (worker) => {
    for (const token of [null, "", PUBLISH]) {
      assert.equal((await api(worker, "program", { token })).status, 401);
    }
  }));

test("no page of another site gets in, with whatever token, and none is told that it may", () =>
  using({ manifest: saying("one") }, async (worker) => {
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { origin: "https://www.shop.example" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }] as Record<string, string>[]) {
      for (const [method, path] of [["GET", "program"], ["POST", "program"], ["OPTIONS", "program"], ["GET", "audit"], ["POST", "preview"]] as const) {
        const reply = await api(worker, path, { method, headers });
        assert.equal(reply.status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
        assert.ok(!reply.headerList.some(([name]) => name.startsWith("access-control-")));
      }
    }
    const own = await api(worker, "program", { headers: { origin: "https://shop.example", "sec-fetch-site": "same-origin" } });
    assert.equal(own.status, 200);
    assert.equal(own.header("cache-control"), "private, no-store");
    assert.ok(!own.headerList.some(([name]) => name.startsWith("access-control-")));
  }));

test("methods and addresses that there are not", () =>
  using({ manifest: saying("one") }, async (worker) => {
    for (const [method, path, expected, allow] of [
      ["PUT", "program", 405, "GET, HEAD, POST, DELETE"],
      ["OPTIONS", "program", 405, "GET, HEAD, POST, DELETE"],
      ["POST", "program/0123456789abcdef", 405, "GET, HEAD"],
      ["GET", "rollback", 405, "POST"],
      ["GET", "preview", 405, "POST"],
      ["DELETE", "audit", 405, "GET, HEAD"],
      ["GET", "program/", 404, null],
      ["GET", "program/../../site:shop", 404, null],
      ["GET", "program/ABCDEF0123456789", 404, null],
      ["GET", "program/0123456789abcdef", 404, null],
      ["GET", "nothing", 404, null],
      ["GET", "audit?limit=0", 400, null],
      ["GET", "audit?limit=1001", 400, null],
      ["GET", "audit?limit=x", 400, null],
    ] as const) {
      const reply = await api(worker, path, { method });
      assert.equal(reply.status, expected, `${method} ${path}`);
      assert.equal(reply.header("allow"), allow, `${method} ${path}`);
    }
  }));

test("a program is published, taken over, listed, given out, and in the trail", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const [one, two] = [await program("one"), await program("two")];
    assert.equal(await heading(worker), "one");
    const reply = await post(worker, two.program);
    assert.deepEqual(reply.json(), { version: two.version, site: "shop", live: two.version, previous: one.version, scheduled: [], dry_run: false });
    await until(async () => (await heading(worker)) === "two", "taken over");
    const { versions, ...state } = (await api(worker, "program", { token: READ })).json();
    assert.deepEqual(state, { site: "shop", live: two.version, previous: one.version, scheduled: [], more: false });
    assert.equal(versions.length, 2);
    assert.ok(Math.abs(Date.parse(versions[0].at) - Date.now()) < 60_000);
    assert.deepEqual({ ...versions[0], at: null }, { version: two.version, at: null, by: "anna", bytes: two.program.length });
    // What was put there by hand is listed too.
    assert.deepEqual(versions[1], { version: one.version, at: null, by: null, bytes: null });
    const given = await api(worker, `program/${two.version}`, { token: READ });
    assert.deepEqual(new Uint8Array(given.bytes), two.program);
    assert.equal(given.header("etag"), `"${two.version}"`);
    assert.match(given.header("cache-control")!, /^private, max-age=\d+, immutable$/);
    assert.equal((await api(worker, `program/${two.version}`, { token: READ, headers: { "if-none-match": `"${two.version}"` } })).status, 304);
    const [entry, ...rest] = await trail(worker);
    assert.deepEqual(rest, []);
    assert.deepEqual({ ...entry, at: "" }, { at: "", by: "anna", action: "publish", version: two.version, previous: one.version });
    // The same once more loses nothing of what was before.
    assert.equal((await post(worker, two.program)).json().previous, one.version);
  }));

test("what is no program of this site is refused whole, and nothing changes", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const { program: good, version } = await program("two");
    const changed = (at: number, byte: number) => Uint8Array.from(good, (old, index) => (index === at ? byte : old));
    const other = (await compile(saying("other", { site: { id: "blog" } }))).program;
    for (const [name, bytes, expected] of [
      ["damaged", changed(good.length - 9, good[good.length - 9]! ^ 1), "422 bad_program"],
      ["cut off", good.subarray(0, good.length - 4), "422 bad_program"],
      ["of another format", changed(4, 99), "422 bad_program"],
      ["a manifest", Buffer.from(JSON.stringify(saying("two"))), "422 bad_program"],
      ["empty", new Uint8Array(0), "422 bad_program"],
      ["of another site", other, "409 wrong_site"],
    ] as const) {
      assert.equal(code(await post(worker, bytes)), expected, name);
      assert.equal(code(await post(worker, bytes, "?dry-run=1")), expected, name);
    }
    for (const type of ["application/json", "text/plain", "multipart/form-data", ""]) {
      const reply = await api(worker, "program", { method: "POST", body: good, headers: { "content-type": type } });
      assert.equal(code(reply), "415 unsupported_media_type", type);
    }
    for (const query of ["?at=tomorrow", "?at=2026-11-27", "?at=2020-01-01T00:00:00Z", "?at="]) {
      assert.equal(code(await post(worker, good, query)), "400 bad_request", query);
    }
    assert.equal(code(await post(worker, good, "?if-live=0123456789abcdef")), "409 other_version_live");
    const dry = await post(worker, good, "?dry-run");
    assert.equal(dry.json().dry_run, true);
    assert.equal(dry.json().live, version);
    assert.equal(await worker.kv.get(`program:${version}`), null);
    assert.equal(await worker.kv.get("site:shop"), (await program("one")).version);
    assert.deepEqual(await trail(worker), []);
    assert.equal(await heading(worker), "one");
    const one = (await program("one")).version;
    assert.equal((await post(worker, good, `?if-live=${one}`)).status, 200);
  }));

test("a program that is larger than KV takes is refused before it is read whole, whether it says how long it is or not", () =>
  using({ manifest: saying("one") }, async (worker) => {
    // Neither is ever sent to its end: a refusal that waits for that never comes.
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    async function* pieces(count: number) {
      for (let piece = 0; piece < count; piece += 1) {
        yield new Uint8Array(1 << 20);
      }
      await held;
    }
    const headers = { "content-type": "application/octet-stream" };
    try {
      assert.equal(code(await api(worker, "program", { method: "POST", body: pieces(26), headers })), "413 too_large");
    } finally {
      release();
    }
    const socket = connect(Number(worker.address.port), worker.address.hostname);
    const url = "https://shop.example/_idoine/api/program";
    const lines = ["POST /_idoine/api/program HTTP/1.1", "host: shop.example", `x-test-url: ${url}`, `authorization: Bearer ${PUBLISH}`, "content-type: application/octet-stream", `content-length: ${(25 << 20) + 1}`];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const [answer] = await once(socket, "data");
    socket.destroy();
    assert.match(String(answer), /^HTTP\/1\.1 413 /);
  }));

test("two publish at once: both are kept and in the trail, and one of them is live", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const sent = [await program("two"), await program("three"), await program("four")];
    const replies = await Promise.all(sent.map(({ program: bytes }) => post(worker, bytes)));
    assert.deepEqual(replies.map((reply) => reply.status), [200, 200, 200]);
    const { live, versions } = (await api(worker, "program")).json();
    assert.ok(sent.some(({ version }) => version === live));
    assert.equal(versions.length, 4);
    assert.deepEqual((await trail(worker)).map(({ version }) => version).sort(), sent.map(({ version }) => version).sort());
    await until(async () => (await worker.fetch("/_idoine/context")).json().version === live, "taken over");
  }));

test("published while requests run: no response is lost, and each page is wholly of one version", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const versions = new Map((await Promise.all(["one", "two", "three"].map(async (text) => [(await program(text)).version, text] as const))));
    let going = true;
    const seen = new Set<string>();
    const visitors = Array.from({ length: 8 }, async () => {
      while (going) {
        const page = await worker.fetch("/");
        assert.equal(page.status, 200);
        const text = versions.get(page.state!.version)!;
        assert.ok(page.text.includes(`<h1>${text}</h1>`) && page.text.includes(`<p class="lead">${text}</p>`), page.text);
        assert.ok(page.text.endsWith("</html>\n"));
        seen.add(text);
      }
    });
    try {
      for (const text of ["two", "three"]) {
        const { program: bytes, version } = await program(text);
        assert.equal((await post(worker, bytes)).status, 200);
        await until(() => seen.has(text), `${version} is seen`);
      }
    } finally {
      going = false;
    }
    await Promise.all(visitors);
    assert.deepEqual([...seen].sort(), ["one", "three", "two"]);
  }));

test("rollback: to what was live before, there and back, or to a version that is named", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const [one, two, three] = [await program("one"), await program("two"), await program("three")];
    assert.equal(code(await rollback(worker)), "409 no_previous");
    await post(worker, two.program);
    await post(worker, three.program);
    const back = (await rollback(worker)).json();
    assert.deepEqual(back, { version: two.version, site: "shop", live: two.version, previous: three.version, scheduled: [] });
    await until(async () => (await heading(worker)) === "two", "back");
    assert.equal((await rollback(worker, "")).json().live, three.version);
    assert.equal((await rollback(worker, { version: one.version })).json().live, one.version);
    await until(async () => (await heading(worker)) === "one", "further back");
    assert.deepEqual(
      (await trail(worker)).slice(0, 3).map(({ action, version, previous }) => [action, version, previous]),
      [["rollback", one.version, three.version], ["rollback", three.version, two.version], ["rollback", two.version, three.version]],
    );
    const other = await compile(saying("other", { site: { id: "blog" } }));
    await worker.kv.put(`program:${other.version}`, Uint8Array.from(other.program).buffer);
    await worker.kv.put("program:00000000000000aa", new Uint8Array([1, 2, 3]).buffer);
    for (const [body, expected] of [
      [{ version: "0123456789abcdef" }, "404 no_version"],
      [{ version: other.version }, "404 no_version"],
      [{ version: "00000000000000aa" }, "503 unavailable"],
      [{ version: "../site:shop" }, "400 bad_request"],
      [{ version: 1 }, "400 bad_request"],
      [{ verison: one.version }, "400 bad_request"],
      [[one.version], "400 bad_request"],
      ["nonsense", "400 bad_request"],
    ] as const) {
      assert.equal(code(await rollback(worker, body)), expected, JSON.stringify(body));
    }
    assert.equal(await worker.kv.get("site:shop"), one.version);
  }));

test("a scheduled version is loaded ahead, and its instant alone makes it live", () =>
  using({ manifest: saying("one"), vars: { IDOINE_RELOAD_SECONDS: "10" }, ...HOST }, async (worker) => {
    const [one, two] = [await program("one"), await program("two")];
    assert.equal(await heading(worker), "one");
    const { now } = await host(worker, {});
    const at = new Date(Math.floor(now / 1000) * 1000 + 3_600_000);
    const reply = (await post(worker, two.program, `?at=${at.toISOString()}`)).json();
    const scheduled = [{ at: at.toISOString().replace(".000", ""), version: two.version }];
    assert.deepEqual(reply, { version: two.version, site: "shop", live: one.version, previous: null, scheduled, dry_run: false });
    assert.equal(await worker.kv.get("site:shop"), `${one.version}\n${scheduled[0]!.at} ${two.version}`);
    const [entry] = await trail(worker);
    assert.deepEqual([entry!.action, entry!.version, entry!.until], ["schedule", two.version, scheduled[0]!.at]);
    const left = at.getTime() - now;
    // Half an hour before nobody looks for it.
    await host(worker, { ahead: left - 1_800_000 });
    assert.equal(await heading(worker), "one");
    assert.ok(!(await host(worker, {})).asked.includes(`get program:${two.version}`));
    // In its last minute it is fetched.
    await host(worker, { ahead: left - 50_000 });
    await until(async () => {
      assert.equal(await heading(worker), "one");
      return (await host(worker, {})).asked.includes(`get program:${two.version}`);
    }, "loaded ahead");
    // From then on the store is not needed.
    await host(worker, { ahead: left - 5_000, fault: "reject" });
    assert.equal(await heading(worker), "one");
    await host(worker, { ahead: left - 1 });
    assert.equal(await heading(worker), "one");
    await host(worker, { ahead: left });
    assert.equal(await heading(worker), "two");
    await host(worker, { fault: "" });
    const { live, previous, scheduled: rest } = (await api(worker, "program")).json();
    assert.deepEqual([live, previous, rest], [two.version, one.version, []]);
    assert.equal((await rollback(worker)).json().live, one.version);
    await until(async () => (await heading(worker)) === "one", "back");
  }));

test("what is scheduled stays beside what is published now, can be cancelled, and is limited", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const [one, two, three] = [await program("one"), await program("two"), await program("three")];
    const at = (hour: number) => `2126-11-27T${String(hour).padStart(2, "0")}:00:00Z`;
    await post(worker, two.program, `?at=${at(0)}`);
    await post(worker, three.program);
    assert.equal(await worker.kv.get("site:shop"), `${three.version}\n${at(0)} ${two.version}`);
    assert.deepEqual((await rollback(worker)).json().scheduled, [{ at: at(0), version: two.version }]);
    assert.equal(await worker.kv.get("site:shop"), `${one.version}\n${at(0)} ${two.version}`);
    const cancel = (version: string) => api(worker, `program?scheduled=${version}`, { method: "DELETE" });
    assert.equal(code(await cancel(three.version)), "404 not_scheduled");
    assert.equal(code(await cancel("")), "400 bad_request");
    assert.equal(code(await api(worker, "program", { method: "DELETE" })), "400 bad_request");
    assert.deepEqual((await cancel(two.version)).json(), { site: "shop", live: one.version, previous: three.version, scheduled: [] });
    assert.equal((await trail(worker))[0]!.action, "cancel");
    for (let hour = 1; hour <= 16; hour += 1) {
      assert.equal((await post(worker, two.program, `?at=${at(hour)}`)).status, 200);
    }
    assert.equal(code(await post(worker, two.program, `?at=${at(17)}`)), "409 too_many_scheduled");
    assert.equal((await post(worker, three.program, `?at=${at(16)}`)).json().scheduled.length, 16, "in the place of another one");
    assert.equal(await heading(worker), "one");
  }));

test("a bad line of the pointer is told, and the rest stays", () =>
  using({ manifest: saying("one"), ...HOST }, async (worker) => {
    const [one, two] = [await program("one"), await program("two")];
    await worker.kv.put(`program:${two.version}`, Uint8Array.from(two.program).buffer);
    const soon = new Date((await host(worker, {})).now + 30_000).toISOString();
    await worker.kv.put("site:shop", `${one.version}\nsoon ${two.version}\n${soon} ${two.version}\n`);
    await until(async () => (await heading(worker), worker.logs.some((line) => line.includes("line 2 of the pointer of site shop"))), "told");
    assert.equal(await heading(worker), "one");
    await until(async () => (await heading(worker), (await host(worker, {})).asked.includes(`get program:${two.version}`)), "loaded ahead");
    await host(worker, { ahead: 30_000 });
    assert.equal(await heading(worker), "two");
    assert.equal(worker.logs.filter((line) => line.includes("pointer_line")).length, 1);
  }));

test("with default settings an isolate looks every ten seconds", () =>
  using({ manifest: saying("one"), vars: { IDOINE_RELOAD_SECONDS: "" }, ...HOST }, async (worker) => {
    const two = await program("two");
    assert.equal(await heading(worker), "one");
    await worker.kv.put(`program:${two.version}`, Uint8Array.from(two.program).buffer);
    await worker.kv.put("site:shop", two.version);
    await host(worker, { ahead: 5_000 });
    for (let times = 0; times < 5; times += 1) {
      assert.equal(await heading(worker), "one");
    }
    assert.ok(!(await host(worker, { ahead: 20_000 })).asked.slice(2).includes("get site:shop"), "not sooner");
    await until(async () => (await heading(worker)) === "two", "taken over");
  }));

test("an isolate that slept looks before its first page, and no page of it shows what was live last week", () =>
  using({ manifest: saying("one"), vars: { IDOINE_RELOAD_SECONDS: "", IDOINE_CACHE: "off" }, ...HOST }, async (worker) => {
    const two = await program("two");
    assert.equal(await heading(worker), "one");
    await worker.kv.put(`program:${two.version}`, Uint8Array.from(two.program).buffer);
    await worker.kv.put("site:shop", two.version);
    await host(worker, { ahead: 7 * 86_400_000 });
    const pages = await Promise.all(Array.from({ length: 10 }, () => heading(worker)));
    assert.deepEqual(new Set(pages), new Set(["two"]));
    // Awake, it looks in the background.
    const { waits } = await host(worker, { ahead: 7 * 86_400_000 + 15_000 });
    assert.equal(await heading(worker), "two");
    assert.deepEqual((await host(worker, {})).waits, waits);
  }));

test("an isolate that slept waits 50 ms for a store that hangs, once, and goes on with what it has", () =>
  using({ manifest: saying("one"), vars: { IDOINE_RELOAD_SECONDS: "", IDOINE_CACHE: "off" }, ...HOST }, async (worker) => {
    assert.equal(await heading(worker), "one");
    const { waits: before } = await host(worker, { ahead: 120_000, fault: "held", over: true });
    assert.equal(await heading(worker), "one");
    assert.deepEqual((await host(worker, {})).waits.slice(before.length), [50]);
    for (let times = 0; times < 5; times += 1) {
      assert.equal(await heading(worker), "one");
    }
    assert.deepEqual((await host(worker, {})).waits.slice(before.length), [50]);
    // It came too late for that page, but not for nothing.
    const two = await program("two");
    await worker.kv.put(`program:${two.version}`, Uint8Array.from(two.program).buffer);
    await worker.kv.put("site:shop", two.version);
    await host(worker, { fault: "" });
    await until(async () => (await heading(worker)) === "two", "taken over");
  }));

test("what the store does not take is not answered as done, and does not become live", () =>
  using({ manifest: saying("one"), ...HOST }, async (worker) => {
    const two = await program("two");
    for (const [fault, actions] of [
      ["reject put_program:", []],
      ["reject put_audit:", []],
      ["reject put_site:", ["publish", "publish failed"]],
      ["reject getWithMetadata_site:", ["publish", "publish failed"]],
    ] as const) {
      await host(worker, { fault });
      assert.equal(code(await post(worker, two.program)), "503 unavailable", fault);
      await host(worker, { fault: "" });
      assert.equal(await heading(worker), "one", fault);
      assert.equal((await api(worker, "program")).json().live, (await program("one")).version, fault);
      assert.deepEqual((await trail(worker)).map(({ action }) => action).sort(), actions, fault);
    }
    for (const path of ["program", "audit"]) {
      await host(worker, { fault: "reject" });
      assert.equal(code(await api(worker, path)), "503 unavailable");
      await host(worker, { fault: "" });
    }
    // Not before the store has it, either.
    await host(worker, { fault: "held put_site:" });
    let answered = false;
    const reply = post(worker, two.program).then((reply) => ((answered = true), reply));
    await until(async () => (await host(worker, {})).asked.includes("put site:shop"), "the pointer is being put");
    assert.equal(answered, false);
    await host(worker, { fault: "" });
    assert.equal((await reply).status, 200);
  }));

test("the bytes are there before the pointer leads to them, and the trail says so before either is live", () =>
  using({ manifest: saying("one"), vars: { IDOINE_RELOAD_SECONDS: "3600" }, ...HOST }, async (worker) => {
    const two = await program("two");
    await host(worker, {});
    await post(worker, two.program);
    const puts = (await host(worker, {})).asked.filter((one) => one.startsWith("put "));
    assert.deepEqual(puts.map((one) => one.split(":")[0]), ["put program", "put audit", "put site"]);
  }));

test("the trail goes on from a cursor, the newest first, and each site has its own", () =>
  using({ manifest: saying("one") }, async (worker) => {
    const texts = ["two", "three", "four"];
    for (const text of texts) {
      await post(worker, (await program(text)).program);
    }
    const first = (await api(worker, "audit?limit=2")).json();
    const rest = (await api(worker, `audit?limit=2&cursor=${encodeURIComponent(first.cursor)}`)).json();
    const expected = await Promise.all([...texts].reverse().map(async (text) => (await program(text)).version));
    assert.deepEqual([...first.entries, ...rest.entries].map(({ version }) => version), expected);
    assert.equal(rest.cursor, null);
    await worker.kv.put("audit:other:0000000000001:x", "");
    assert.equal((await trail(worker)).length, 3);
  }));
