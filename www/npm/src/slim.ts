import type { Idoine } from "../../src/types.ts";
import { clientWith, type IdoineOptions } from "./client.ts";
import { engine } from "./host-slim.ts";
import { serverWith, type IdoineServer, type ServerOptions } from "./server.ts";

export * from "../../src/types.ts";
export { IdoineError, readState, type ErrorCode, type IdoineOptions } from "./client.ts";
export type { Wasm } from "./engine.ts";
export { initialize } from "./host-slim.ts";
export { stateScript, type Decided, type IdoineServer, type Page, type ServerOptions } from "./server.ts";

/** As `createIdoine` of `idoine`, with the Wasm that was handed over. */
export const createIdoine: (options?: IdoineOptions) => Idoine = clientWith(engine);

/** As `createIdoineServer` of `idoine/server`, with the Wasm that was handed over. */
export const createIdoineServer: (options: ServerOptions) => IdoineServer = serverWith(engine);
