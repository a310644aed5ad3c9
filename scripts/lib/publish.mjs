// From a manifest to the program in the local KV store.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { DIST, LOCAL, ROOT } from "./paths.mjs";
import { Problem, run } from "./run.mjs";

/** The folder given to `wrangler dev --persist-to`. */
export const STATE = join(LOCAL, "state");

/**
 * Compiles a manifest with dist/bin/idoine.
 * @returns {Promise<{version: string, site: string, program: Buffer, experiences: number, slots: number, warnings: string}>} throws a Problem with the compiler's own words
 */
export async function compile(manifest) {
  mkdirSync(LOCAL, { recursive: true });
  const out = join(LOCAL, `site-${process.pid}.program`);
  try {
    const result = await run([join(DIST, "bin", "idoine"), "compile", relative("", manifest), "-o", out, "--json"], { env: process.env });
    if (result.code !== 0) throw new Problem(result.output.trimEnd());
    return { ...JSON.parse(result.stdout), program: readFileSync(out), warnings: result.stderr.trimEnd() };
  } finally {
    rmSync(out, { force: true });
  }
}

/** Puts a program into the store that `wrangler dev` reads: first the bytes, then the pointer to them. */
export async function publish({ version, site, program }) {
  const { getPlatformProxy } = await import("wrangler");
  const proxy = await getPlatformProxy({ configPath: join(ROOT, "wrangler.toml"), persist: { path: join(STATE, "v3") }, remoteBindings: false });
  try {
    await proxy.env.PROGRAMS.put(`program:${version}`, new Uint8Array(program).buffer);
    await proxy.env.PROGRAMS.put(`site:${site}`, version);
  } finally {
    await proxy.dispose();
  }
}
