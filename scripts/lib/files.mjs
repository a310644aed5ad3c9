// Files that are replaced in one go, and marks that tell whether a step's inputs changed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DIST } from "./paths.mjs";

/** Writes a file whole or not at all, and only if its content is new: who watches it is not woken for nothing. */
export function writeIfChanged(path, content, mode) {
  const bytes = Buffer.from(content);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return false;
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, bytes, mode === undefined ? {} : { mode });
  renameSync(fresh, path);
  return true;
}

/** A hash of files' contents and of any other text that decides the result. */
export function digest(files, ...texts) {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text}\0`);
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/**
 * Does `work` unless it was done with the same inputs and its outputs are still there.
 * @returns {Promise<boolean>} whether there was something to do
 */
export async function unlessDone(name, mark, outputs, work) {
  const stamp = join(DIST, ".stamps", name);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === mark && outputs.every((path) => existsSync(path))) return false;
  await work();
  writeIfChanged(stamp, mark);
  return true;
}
