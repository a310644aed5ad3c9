// Compiling and starting our modules. wasm-bindgen's own code for that takes modules, requests, answers and promises in three
// ways, and warns of two of them: twice the bytes, for what nobody here asks.

/**
 * Compiles a module, as it arrives where the server names its type.
 * @param {string | URL | BufferSource | WebAssembly.Module} source its address or its bytes; or itself, where the host has compiled it
 */
export async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source !== "string" && !(source instanceof URL)) return WebAssembly.compile(source);
  const answer = await fetch(source);
  if (!answer.ok) throw new Error(`${source}: ${answer.status}`);
  const isNamed = answer.headers.get("content-type") === "application/wasm";
  return isNamed ? WebAssembly.compileStreaming(answer) : WebAssembly.compile(await answer.arrayBuffer());
}

/**
 * Starts the module behind `bindings`, which it knows as `name`.
 * @param {Record<string, unknown> & { __wbg_set_wasm(exports: WebAssembly.Exports): void }} bindings
 * @param {string} name
 * @param {string | URL | BufferSource} source its address or its bytes
 */
export async function start(bindings, name, source) {
  const { exports } = await WebAssembly.instantiate(await compile(source), { [name]: bindings });
  bindings.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
}
