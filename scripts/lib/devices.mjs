// How well devices are read: against two published lists of user agents and the project's own cases.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "./paths.mjs";
import { must, Problem } from "./run.mjs";

const require = createRequire(import.meta.url);

/** The cases of the project's own, whose whole reading is expected. */
export const CASES = join(ROOT, "tests", "spec", "context");

/** What a list must reach at least: shares, and the counts that must be none. */
export const BARS = { categories: 0.999, bots: 0.995 };

/**
 * Instances of `crawler-user-agents` that are people: the package lists them for sites that count the visits that an app
 * makes. Each by a part that no other instance has, with the reason.
 */
export const PEOPLE = [
  { part: "Instagram 406.0.0.58.159 Android", reason: "Instagram's built-in browser on a phone: a person tapped a link there" },
  { part: "MetaIAB Facebook", reason: "Facebook's built-in browser on a phone (IAB is in-app browser): a person tapped a link there" },
];

/** Instances of `crawler-user-agents` that are not found, each by a part of its own, with the reason. A test knows of no other. */
export const MISSED = [
  { part: " Code/1.115.0 ", reason: "an editor that shows pages to a person, and fetches them for its assistant: nothing tells which it was" },
  { part: " Trae/1.107.1 ", reason: "an editor, as above" },
  { part: " Fluid/0.9.6 ", reason: "makes an app of a site, for a person on a Mac" },
  { part: "TSM-turingos", reason: "a name that no rule covers, in a user agent of Chrome" },
  { part: " Dlc/2.0.1", reason: "as above" },
  { part: "PlayStore-Google", reason: "as above; telephones name Google, too" },
  { part: " YLT Chrome/", reason: "as above" },
  { part: "GeedoShopProductFinder", reason: "as above" },
];

/** Every entry of npm `user-agents`: real visits, each with the device class that the page saw. */
export function categories() {
  const file = join(dirname(require.resolve("user-agents")), "user-agents.json");
  return JSON.parse(readFileSync(file, "utf8")).map(({ userAgent, deviceCategory }) => ({ agent: userAgent, expected: deviceCategory }));
}

/** Every instance of npm `crawler-user-agents` once: its user agent, and why it's a person where it is one. */
export function crawlers() {
  const agents = new Set(require("crawler-user-agents").flatMap(({ instances }) => instances));
  return [...agents].map((agent) => ({ agent, reason: PEOPLE.find(({ part }) => agent.includes(part))?.reason }));
}

/** The cases of the project's own: `devices-*.json`. */
export function cases() {
  const files = readdirSync(CASES).filter((name) => /^devices-.*\.json$/.test(name)).sort();
  return files.flatMap((file) => JSON.parse(readFileSync(join(CASES, file), "utf8")).cases.map((one) => ({ file, ...one })));
}

/**
 * What the command derives for visitors, by `idoine decide --context`.
 * @param {string} program the command
 * @param {{url: string}[]} visitors
 * @returns {Promise<Record<string, unknown>[]>} the fields of each that are present
 */
export async function derive(program, visitors, env = process.env) {
  const folder = mkdtempSync(join(tmpdir(), "idoine-devices-"));
  try {
    const manifest = join(folder, "site.jsonc");
    writeFileSync(manifest, JSON.stringify({ site: { id: "devices", hosts: ["shop.example"] } }));
    const input = visitors.map((visitor) => `${JSON.stringify(visitor)}\n`).join("");
    const lines = (await must([program, "decide", manifest, "--context"], { env, input })).trimEnd().split("\n");
    if (lines.length !== visitors.length) throw new Problem(`idoine decide answered ${lines.length} of ${visitors.length} visitors`);
    return lines.map((line) => JSON.parse(line).context);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const visitor = ({ agent }) => ({ url: "https://shop.example/", headers: { "user-agent": agent } });

/** How many of the entries are right, and each that isn't. `needed`: the share that is. */
function figure(name, entries, needed, wrong) {
  const disagreements = entries.flatMap((entry, index) => wrong(entry, index) ?? []);
  const right = entries.length - new Set(disagreements.map(({ entry }) => entry)).size;
  const share = entries.length === 0 ? 0 : right / entries.length;
  return { name, entries: entries.length, right, share, needed, ok: share >= needed, disagreements: disagreements.map(({ entry: _, ...rest }) => rest) };
}

/**
 * All figures, each with all its disagreements.
 * @param {string} program the command `idoine`
 */
export async function measure(program, env = process.env) {
  const lists = { categories: categories(), crawlers: crawlers(), cases: cases() };
  const visitors = [...lists.categories.map(visitor), ...lists.crawlers.map(visitor), ...lists.cases.map((one) => one.visitor)];
  const read = await derive(program, visitors, env);
  const types = read.map((context) => context["device.type"]);
  const [ofCrawlers, ofCases] = [lists.categories.length, lists.categories.length + lists.crawlers.length];
  const kind = (found, expected, wrong) => (entry) =>
    wrong(entry, found(entry)) ? [{ entry, agent: entry.agent, found: found(entry), expected: expected(entry) }] : undefined;
  const typeOf = new Map();
  lists.categories.forEach((entry, index) => typeOf.set(entry, types[index]));
  lists.crawlers.forEach((entry, index) => typeOf.set(entry, types[ofCrawlers + index]));
  const found = (entry) => typeOf.get(entry);
  const people = lists.crawlers.filter(({ reason }) => reason !== undefined);
  const bots = lists.crawlers.filter(({ reason }) => reason === undefined);
  return [
    figure("user-agents: the device's class", lists.categories, BARS.categories, kind(found, ({ expected }) => expected, ({ expected }, type) => type !== expected)),
    figure("user-agents: people, not bots", lists.categories, 1, kind(found, ({ expected }) => expected, (_, type) => type === "bot")),
    figure("crawler-user-agents: bots", bots, BARS.bots, kind(found, () => "bot", (_, type) => type !== "bot")),
    figure("crawler-user-agents: people in apps", people, 1, kind(found, ({ reason }) => reason, (_, type) => type === "bot")),
    figure("own cases: the whole reading", lists.cases, 1, (entry, index) => {
      const context = read[ofCases + index];
      return Object.entries(entry.context)
        .filter(([path, expected]) => JSON.stringify(context[path] ?? null) !== JSON.stringify(expected))
        .map(([path, expected]) => ({ entry, agent: `${entry.file}: ${entry.name}: ${path}`, found: context[path] ?? null, expected }));
    }),
  ];
}

const percent = (share) => `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;

/** The figures for people: a table, then every disagreement. */
export function report(figures) {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const rows = figures.map(({ name, right, entries, share, needed, ok }) => `${name.padEnd(width)}  ${`${right} of ${entries}`.padStart(14)}  ${percent(share).padStart(9)}  (at least ${percent(needed)})  ${ok ? "ok" : "TOO FEW"}`);
  const wrong = figures.filter(({ disagreements }) => disagreements.length > 0);
  const lists = wrong.map(({ name, disagreements }) => [`${name}: ${disagreements.length} that disagree`, ...disagreements.map(({ agent, found, expected }) => `  ${found ?? "absent"}, expected ${expected ?? "absent"}: ${agent}`)].join("\n"));
  return [rows.join("\n"), ...lists].join("\n\n");
}
