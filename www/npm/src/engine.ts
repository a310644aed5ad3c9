/** The engine as the package has it: its script is a part of the package, and each host knows how to get the one copy of the Wasm. */
import type { EngineModule, GetEngine } from "../../src/engine.ts";

/** The Wasm: compiled, in bytes, or where it is. */
export type Wasm = WebAssembly.Module | BufferSource | URL | string;

export const engineWith =
  (wasm: () => Wasm | Promise<Wasm>): GetEngine =>
  async () => {
    const [module, source] = await Promise.all([import("../../wasm/engine/engine.js") as unknown as Promise<EngineModule>, wasm()]);
    await module.default({ module_or_path: source });
    return module;
  };
