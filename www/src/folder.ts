/** The engine as files of a site: a script and its Wasm in one folder, whose address is known when the page runs. */
import type { EngineModule, GetEngine } from "./engine.ts";

/** Where the engine's files are: beside this one, unless it is said otherwise. */
export function folderOf(base: string | undefined): string {
  return new URL(base ?? new URL(".", import.meta.url), location.href).href.replace(/\/?$/, "/");
}

/** Gets `engine.js` and `engine.wasm` from there. */
export const engineIn = (base: string | undefined): GetEngine => async () => {
  const folder = folderOf(base);
  const script = `${folder}engine.js`;
  const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ script)) as EngineModule;
  await module.default({ module_or_path: `${folder}engine.wasm` });
  return module;
};
