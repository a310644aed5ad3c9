// The modules that are weighed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildNamed } from "../cargo.mjs";
import { DIST } from "../paths.mjs";
import { weigh } from "./weigh.mjs";

/** Their names, as a part of the build each, and where they are. */
export const MODULES = {
  engine: join(DIST, "assets", "_idoine", "engine.wasm"),
  tools: join(DIST, "assets", "_idoine", "tools.wasm"),
  author: join(DIST, "assets", "_idoine", "author.wasm"),
  worker: join(DIST, "worker", "index_bg.wasm"),
};

/** What weighs in a module that is built. */
export async function weighModule(name, env) {
  const named = await buildNamed(name, env);
  return { module: name, ...weigh(readFileSync(MODULES[name]), readFileSync(named), `idoine_${name}`) };
}
