// Who is measured: Idoine's engine as pages load it, and the published GrowthBook.
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DIST, ROOT } from "../paths.mjs";
import { Problem } from "../run.mjs";
import { alternate, summary } from "./measure.mjs";
import { SLOTS } from "./workload.mjs";

const ENGINE = join(DIST, "assets", "_idoine");
const PACKAGE = join(ROOT, "node_modules", "@growthbook", "growthbook");

/** The published version of GrowthBook. */
export const growthbookVersion = () => JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")).version;

/** Loads both, and measures in fresh modules how long that takes. */
export async function contenders(scratch, loads) {
  const wire = await import(pathToFileURL(join(ROOT, "www", "src", "wire.ts")).href);
  const wasm = readFileSync(join(ENGINE, "engine.wasm"));
  // The package's own production bundle: its other files ask `process.env` for the mode at every rule, which is slow in Node
  // and which bundlers take out for browsers and Workers. Its name says to Node that it's a module.
  const bundle = join(scratch, "growthbook.mjs");
  copyFileSync(join(PACKAGE, "dist", "bundles", "esm.min.js"), bundle);

  const startIdoine = async (query) => {
    const engine = await import(`${pathToFileURL(join(ENGINE, "engine.js")).href}${query}`);
    await engine.default({ module_or_path: wasm });
    return engine.Engine;
  };
  const startGrowthBook = async (query) => (await import(`${pathToFileURL(bundle).href}${query}`)).GrowthBookClient;
  const times = { idoine: [], growthbook: [] };
  for (let turn = 0; turn < loads; turn++) {
    for (const [name, start] of [["idoine", startIdoine], ["growthbook", startGrowthBook]]) {
      const begun = performance.now();
      await start(`?fresh=${turn}`);
      times[name].push(performance.now() - begun);
    }
  }
  return {
    Engine: await startIdoine(""),
    GrowthBookClient: await startGrowthBook(""),
    wire,
    start: { idoineMs: summary(times.idoine), growthbookMs: summary(times.growthbook) },
  };
}

/** Both with a workload loaded, and how long that loading takes in milliseconds: program bytes against JSON text. */
export function load({ Engine, GrowthBookClient }, program, payload, loads) {
  const client = () => new GrowthBookClient().initSync({ payload: { features: JSON.parse(payload) } });
  const turns = {
    idoine: () => (new Engine(program) ? 1 : 0),
    growthbook: () => (client().ready ? 1 : 0),
  };
  const times = alternate(turns, () => [undefined], { warmMs: 0, ms: 0, least: loads, most: loads });
  const ms = (name) => summary(times[name].map((us) => us / 1000));
  return { engine: new Engine(program), client: client(), idoineMs: ms("idoine"), growthbookMs: ms("growthbook") };
}

/** Numbers of a decision in what `Engine.decide` returns. */
const WORDS = 6;
const NO_EXPERIENCE = 0xffffffff;

/**
 * Compares what everybody decides for every visitor. Throws a Problem that shows the visitor when two differ.
 * @param {{engine: any, client: any}} loaded
 * @param {any[]} people
 * @param {number[][]} native what the native run decided, in the layout of `Engine.decide`
 * @returns {{visitors: number, slots: number, won: number}} what was compared, and how many slots an experience won
 */
export function check({ engine, client }, people, native) {
  const slots = SLOTS.map((_, index) => engine.slot(index));
  if (slots.join() !== SLOTS.join()) throw new Problem(`the program's slots are ${slots.join(", ")}, not ${SLOTS.join(", ")}`);
  if (native.length !== people.length) throw new Problem(`the native run decided for ${native.length} visitors instead of ${people.length}`);
  let won = 0;
  people.forEach((visitor, number) => {
    const differ = (who, theirs, ours) => {
      const { headers, cf, ...rest } = visitor.request;
      const request = { ...rest, headers: Object.fromEntries(headers), cf: Object.fromEntries(cf) };
      const about = JSON.stringify({ request, attributes: visitor.attributes }, null, 2);
      throw new Problem(`${who} decides otherwise than Idoine's Wasm for visitor ${number}: ${JSON.stringify(theirs)} against ${JSON.stringify(ours)}. Nothing was measured.\n${about}`);
    };
    const words = [...engine.decide(engine.write(visitor.bytes))];
    if (words.join() !== native[number].join()) differ("the native engine", native[number], words);
    const ids = SLOTS.map(() => null);
    for (let at = 1; at < words.length; at += WORDS) ids[words[at]] = words[at + 1] === NO_EXPERIENCE ? null : engine.experience(words[at + 1]);
    const forced = SLOTS.map((slot) => client.evalFeature(slot, visitor.user).value);
    if (words[0] !== SLOTS.length || ids.join() !== forced.join()) differ("GrowthBook", forced, ids);
    won += ids.filter((id) => id !== null).length;
  });
  return { visitors: people.length, slots: people.length * SLOTS.length, won };
}

/**
 * What is measured in this process, by name. Each takes a visitor and returns a number that depends on the answer.
 * @param {{engine: any, client: any}} loaded
 * @param {any} bare an engine whose program has the same slots and no experience
 */
export function turns({ engine, client }, bare, { roomFor, writeRequest, decodeDecisions, decodeEdits }) {
  return {
    decide: ({ bytes }) => engine.decide(engine.write(bytes))[2],
    page({ request }) {
      const decisions = decodeDecisions(engine.decide(writeRequest(request, engine.input(roomFor(request)))), engine);
      return decisions.length + decodeEdits(engine.edits(), engine).length;
    },
    context: ({ bytes }) => bare.decide(bare.write(bytes))[2],
    growthbook({ user }) {
      let found = 0;
      for (const slot of SLOTS) if (client.evalFeature(slot, user).value !== null) found += 1;
      return found;
    },
  };
}
