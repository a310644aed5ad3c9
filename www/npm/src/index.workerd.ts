import { clientWith, type IdoineOptions } from "./client.ts";
import { engine } from "./host-workerd.ts";
import type { Idoine } from "../../src/types.ts";

export * from "../../src/types.ts";
export { IdoineError, readState, type ErrorCode, type IdoineOptions } from "./client.ts";

/** Starts the client. It throws for nothing but its options: what fails later leaves the page as it was. */
export const createIdoine: (options?: IdoineOptions) => Idoine = clientWith(engine);
