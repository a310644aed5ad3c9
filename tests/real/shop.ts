// The demo shop as `npm start` serves it, for tests: its origin, and the built Worker in workerd in front of it.

import { readFile } from "node:fs/promises";
import { startOrigin } from "../../www/demo/origin.ts";
import { compile, startWorker, type TestWorker } from "../worker/harness.ts";
import { inRepository } from "./faces.ts";

/** The demo's manifest. */
export const SITE = inRepository("www/demo/site.jsonc");

/** What the shop's server signs identity tokens by. */
export const IDENTITY_SECRET = "what-the-shops-server-signs-by";

/** The running shop. */
export interface Shop {
  /** The Worker's address, without a slash at the end. Preview parameters are allowed there. */
  url: string;
  /** The origin's own address. */
  origin: string;
  worker: TestWorker;
  /** The manifest, compiled. */
  program: Uint8Array;
  /** The ids of all experiences. */
  experiences: string[];
  close(): Promise<void>;
}

/** Starts the origin and the Worker; with profiles and a key that ids are signed by, or without both. */
export async function startShop(keepsProfiles = false): Promise<Shop> {
  const manifest = await readFile(SITE, "utf8");
  const { program } = await compile(manifest);
  const origin = await startOrigin();
  try {
    const kept = { profiles: true, vars: { IDOINE_KEY: "the key of a shop that is tested", IDOINE_IDENTITY_SECRET: IDENTITY_SECRET } };
    const worker = await startWorker({ origin: origin.url, program, preview: true, ...(keepsProfiles ? kept : {}) });
    return {
      url: worker.address.origin,
      origin: origin.url,
      worker,
      program,
      experiences: [...manifest.matchAll(/^      "id": "([\w-]+)"/gm)].map(([, id]) => id!),
      async close() {
        await worker.dispose();
        await origin.close();
      },
    };
  } catch (error) {
    await origin.close();
    throw error;
  }
}
