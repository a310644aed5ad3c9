/** Node: `fetch` reads no files there. */
import { readFile } from "node:fs/promises";
import { engineWith } from "./engine.ts";

export const engine = engineWith(() => readFile(new URL("./engine.wasm", import.meta.url)));
