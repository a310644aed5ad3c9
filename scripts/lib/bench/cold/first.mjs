// What is measured from cold, step by step, wherever it runs: it is imported in Node, and sent to Chromium as it stands.

/**
 * Compiles the engine, loads a program into an instance of it, and decides once.
 * @param {{default: Function, Engine: any}} engine what `engine.js` exports
 * @param {{wasm: ArrayBuffer, program: Uint8Array, request: Uint8Array}} bytes all of them read before
 * @returns {Promise<Record<string, number>>} milliseconds of each step, and of all
 */
export async function first({ default: init, Engine }, { wasm, program, request }) {
  const begun = performance.now();
  await init({ module_or_path: wasm });
  const compiled = performance.now();
  const engine = new Engine(program);
  const loaded = performance.now();
  const decisions = engine.decide(engine.write(request));
  const decided = performance.now();
  if (!decisions?.length) throw new Error("nothing was decided");
  return { compile: compiled - begun, load: loaded - compiled, decide: decided - loaded, total: decided - begun };
}
