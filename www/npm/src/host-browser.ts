/** Browsers: the Wasm is a file beside this one. Bundlers know this way of naming it, and take it with them. */
import { engineWith } from "./engine.ts";

export const engine = engineWith(() => new URL("./engine.wasm", import.meta.url));
