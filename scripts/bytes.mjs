// What the bytes of our Wasm are for.
import { readFileSync } from "node:fs";
import { build } from "./build.mjs";
import { cratesOf, unwanted, unwantedCrates } from "./lib/bytes/absent.mjs";
import { MODULES, weighModule } from "./lib/bytes/modules.mjs";
import { report } from "./lib/bytes/table.mjs";
import { buildNamed } from "./lib/cargo.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run bytes [-- [--module NAME] [--top N] [--json]]

Builds the engine, the tools, the author's module and the Worker, as they are shipped and once more with the names of their functions,
and prints what weighs in each: sections, crates, parts of crates, functions. A function counts for the first crate in its name that is
not the standard library's: what the standard library makes for a crate's types is that crate's. Functions with equal code are one,
under one of their names, and what was inlined is its caller's. "gzip less" is by how much the compressed module is smaller without
the row. Exit code 1 when the engine holds something that it should not: a crate for patterns, URLs or dates, the standard library's
writing of doubles, words of panics.

  --module NAME   ${Object.keys(MODULES).join(", ")}; all of them without it
  --top N         so many parts and functions are printed (20)
  --json          an array, everything of each module, in bytes

Example: npm run --silent bytes -- --module engine --top 40
`;

const options = { json: { type: "boolean" }, module: { type: "string" }, top: { type: "string", default: "20" } };

await command({ usage, options }, async ({ json, module, top }) => {
  if (module !== undefined && !(module in MODULES)) throw new WrongUsage(`--module is one of ${Object.keys(MODULES).join(", ")}`);
  if (!/^\d{1,6}$/.test(top)) throw new WrongUsage("--top is a number");
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  const names = module === undefined ? Object.keys(MODULES) : [module];
  await build(names, env);
  const weighed = [];
  for (const name of names) weighed.push(await weighModule(name, env));
  process.stdout.write(json ? `${JSON.stringify(weighed, null, 2)}\n` : `${weighed.map((one) => report(one, Number(top))).join("\n\n\n")}\n`);
  if (!names.includes("engine")) return 0;
  const found = [...unwantedCrates(await cratesOf("idoine-engine", env)), ...unwanted(readFileSync(await buildNamed("engine", env)), "idoine_engine")];
  for (const one of found) process.stderr.write(`idoine: the engine holds what it should not: ${one}\n`);
  return found.length === 0 ? 0 : 1;
});
