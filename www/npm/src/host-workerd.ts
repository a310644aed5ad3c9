/** workerd: no code is compiled while it runs; modules come with the Worker. */
import wasm from "./engine.wasm";
import { engineWith } from "./engine.ts";

export const engine = engineWith(() => wasm);
