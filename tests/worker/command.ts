// The built command line, as a person or a script calls it, with the token of a test's Worker.

import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { DIST, ROOT } from "./harness.ts";

export const READ = "read-token-of-24-characters";
export const PUBLISH = "publish-token-of-24-characters";
export const ANOTHER = "publish-token-of-another-team";

/** Variables of a Worker that knows those tokens, and keeps profiles. */
export const VARS = { IDOINE_TOKENS: `read:reader:${READ} publish:anna:${PUBLISH} publish:bob:${ANOTHER}`, IDOINE_KEY: "a secret" };

const COMMAND = join(DIST, "bin", "idoine");

const environment = (token: string) => ({ PATH: process.env["PATH"] ?? "", IDOINE_TOKEN: token });

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `idoine` to its end. */
export function idoine(args: string[], token = PUBLISH): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(COMMAND, args, { env: environment(token), cwd: ROOT, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.end();
  });
}

/** Starts `idoine`, to be ended from outside. */
export function startIdoine(args: string[], token = PUBLISH): ChildProcess {
  return spawn(COMMAND, args, { env: environment(token), cwd: ROOT, stdio: "ignore" });
}
