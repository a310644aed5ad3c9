// How well devices and bots are read: over two published lists of user agents, and the project's own cases.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { cases, crawlers, derive, measure, MISSED, PEOPLE, report } from "../../scripts/lib/devices.mjs";
import { DIST, ROOT } from "../../scripts/lib/paths.mjs";

interface Figure {
  name: string;
  entries: number;
  right: number;
  share: number;
  needed: number;
  ok: boolean;
  disagreements: { agent: string; found: unknown; expected: unknown }[];
}

interface Case {
  file: string;
  name: string;
  source: string;
  visitor: { headers: Record<string, string> };
  context: Record<string, string | null>;
}

const program = join(DIST, "bin", "idoine");
const WHOLE = ["device.type", "device.os", "device.os_version", "device.browser", "device.browser_version", "device.app"];

test("device classes, bots and people in apps are read as well as they must be", async () => {
  const figures = (await measure(program)) as Figure[];
  const least = [
    ["user-agents: the device's class", 10_000, 0.999],
    ["user-agents: people, not bots", 10_000, 1],
    ["crawler-user-agents: bots", 2_000, 0.995],
    ["crawler-user-agents: people in apps", PEOPLE.length, 1],
    ["own cases: the whole reading", 320, 1],
  ] as const;
  assert.equal(figures.length, least.length);
  for (const [index, [name, entries, share]] of least.entries()) {
    const figure = figures[index]!;
    assert.equal(figure.name, name);
    assert.ok(figure.entries >= entries, `${name}: only ${figure.entries} entries`);
    assert.ok(figure.share >= share && figure.ok, report([figure]));
  }
  const missed = figures[2]!.disagreements.filter(({ agent }) => !MISSED.some(({ part }) => agent.includes(part)));
  assert.deepEqual(missed, [], "bots that are not found any more");
});

test("the cases have their whole reading, and say where it is documented", () => {
  const all = cases() as Case[];
  for (const { file, name, source, context } of all) {
    assert.deepEqual(Object.keys(context), WHOLE, `${file}: ${name}`);
    assert.match(source, /^https?:\/\/[^/\s]+\/\S*$/, `${file}: ${name}`);
  }
  const readings = all.map(({ visitor }) => JSON.stringify(visitor.headers));
  const twice = readings.filter((headers, index) => readings.indexOf(headers) !== index);
  assert.deepEqual(twice, []);
});

test("whoever is a person among the crawlers is there, once, with the reason", () => {
  for (const { part, reason } of PEOPLE) {
    assert.equal(crawlers().filter(({ agent }) => agent.includes(part)).length, 1, part);
    assert.ok(reason.length > 20, part);
  }
});

test("a figure below its bar is said to be, with every disagreement", async () => {
  const agents = ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Mozilla/5.0 (X11; Linux x86_64; rv:154.0) Gecko/20100101 Firefox/154.0"];
  const read = await derive(program, agents.map((agent) => ({ url: "https://shop.example/", headers: { "user-agent": agent } })));
  assert.deepEqual(read.map((context) => context["device.type"]), ["bot", "desktop"]);
  const text = report([{ name: "bots", entries: 2, right: 1, share: 0.5, needed: 0.995, ok: false, disagreements: [{ agent: agents[1], found: "desktop", expected: "bot" }] }]);
  assert.match(text, /bots +1 of 2 +50\.00 % +\(at least 99\.50 %\) +TOO FEW/);
  assert.match(text, /desktop, expected bot: Mozilla\/5\.0 \(X11/);
});

test("the command explains itself", () => {
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, "scripts", "devices.mjs"), "--help"], { encoding: "utf8" });
  assert.equal(status, 0);
  assert.match(stdout, /Usage: npm run devices[\s\S]*--json[\s\S]*Example: /);
});
