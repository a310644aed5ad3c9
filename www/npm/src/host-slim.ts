/** Any host: whoever uses the package brings the Wasm. */
import { IdoineError } from "../../src/errors.ts";
import { engineWith, type Wasm } from "./engine.ts";

let given: Wasm | Promise<Wasm> | undefined;

/** Hands over the engine's Wasm (`idoine/engine.wasm`) as a module, as bytes or by its address. Before the first decision. */
export function initialize(wasm: Wasm | Promise<Wasm>): void {
  given = wasm;
}

export const engine = engineWith(() => {
  if (given === undefined) throw new IdoineError("engine_missing", "idoine/slim has no Wasm yet: call initialize(wasm) first");
  return given;
});
