import { engine } from "./host-node.ts";
import { serverWith, type IdoineServer, type ServerOptions } from "./server.ts";

export { IdoineError, stateScript, type Decided, type ErrorCode, type IdoineServer, type Page, type ServerOptions } from "./server.ts";

/** Sets up decisions on this server. */
export const createIdoineServer: (options: ServerOptions) => IdoineServer = serverWith(engine);
