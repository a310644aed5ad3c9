// Starting a module that wasm-bindgen made. Its own code for that takes modules, requests, answers and promises in three ways,
// and warns of two of them: twice the bytes, for what nobody here asks.

/**
 * Starts the module behind `bindings`, which it knows as `name`.
 * @param {Record<string, unknown> & { __wbg_set_wasm(exports: WebAssembly.Exports): void }} bindings
 * @param {string} name
 * @param {string | URL | BufferSource} source its address or its bytes
 */
export async function start(bindings, name, source) {
  const imports = { [name]: bindings };
  let made;
  if (typeof source === "string" || source instanceof URL) {
    const answer = await fetch(source);
    if (!answer.ok) throw new Error(`${source}: ${answer.status}`);
    // Compiled as it arrives where the server names the type, as browsers want it to.
    const isNamed = answer.headers.get("content-type") === "application/wasm";
    made = isNamed ? WebAssembly.instantiateStreaming(answer, imports) : WebAssembly.instantiate(await answer.arrayBuffer(), imports);
  } else {
    made = WebAssembly.instantiate(source, imports);
  }
  const { instance } = await made;
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}
