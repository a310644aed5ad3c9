// What is written from the compiler's own tables: reference page, editors' data, the JSON Schema.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { command } from "./lib/cli.mjs";
import { page } from "./lib/expressions-page.mjs";
import { writeIfChanged } from "./lib/files.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { DIST, ROOT } from "./lib/paths.mjs";
import { must, Problem, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

/**
 * The page on the context with the rows of its fields as the compiler's table has them. Where a field is known is the page's own.
 * @param {string} text
 * @param {{ fields: { path: string, type: string, doc: string }[] }} expressions
 */
export function withFields(text, { fields }) {
  const missing = fields.filter(({ path }) => !text.includes(`\n| \`${path}\` |`));
  if (missing.length > 0) throw new Problem(`docs/context.md has no row for ${missing.map(({ path }) => path).join(", ")}: say there where it is known.`);
  return text.replace(/^\| `([a-z_.]+)` \|.*\| ([^|]+) \|$/gm, (row, path, known) => {
    const field = fields.find((field) => field.path === path);
    return field ? `| \`${path}\` | ${field.type} | ${field.doc} | ${known} |` : row;
  });
}

/**
 * Every file that is written from the tables, and its text. Needs dist/bin/idoine.
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<[path: string, text: string][]>}
 */
export async function written(env) {
  const print = (...args) => must([join(DIST, "bin", "idoine"), ...args], { env });
  const expressions = await print("schema", "--expressions");
  return [
    ["docs/context.md", withFields(readFileSync(join(ROOT, "docs", "context.md"), "utf8"), JSON.parse(expressions))],
    ["docs/expressions.md", page(JSON.parse(expressions))],
    ["tests/spec/expr/functions.json", await print("functions", "--json")],
    ["www/schema/expressions.json", expressions],
    ["www/schema/site.schema.json", await print("schema")],
  ].map(([path, text]) => [join(ROOT, path), text]);
}

const usage = `
Usage: npm run docs [-- --check]

Builds the command line and writes what follows from the compiler's tables: docs/expressions.md, the fields in
docs/context.md, tests/spec/expr/functions.json, and www/schema/.

  --check    write nothing; list what is out of date, and end with exit code 1 if anything is

Example: npm run docs -- --check
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command({ usage, options: { check: { type: "boolean" } } }, async ({ check }) => {
    if (await underRecentNode()) return process.exitCode;
    const env = await ensure();
    await build(["cli"], env);
    let stale = 0;
    for (const [path, text] of await written(env)) {
      if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
      stale += 1;
      if (check) process.stdout.write(`${relative(ROOT, path)}\n`);
      else if (writeIfChanged(path, text)) say(`written: ${relative(ROOT, path)}`);
    }
    return check && stale > 0 ? 1 : 0;
  });
}
