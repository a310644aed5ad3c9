// A fresh Node: one start of the engine. Arguments: the engine's folder, a program, a request.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { first } from "./first.mjs";

const [folder, program, request] = process.argv.slice(2);
const engine = await import(pathToFileURL(join(folder, "engine.js")).href);
const bytes = { wasm: readFileSync(join(folder, "engine.wasm")), program: readFileSync(program), request: readFileSync(request) };
process.stdout.write(JSON.stringify(await first(engine, bytes)));
