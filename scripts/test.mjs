// `npm test`: every test there is, in stages; all stages run even if one fails.
import { mkdirSync } from "node:fs";
import { build } from "./build.mjs";
import { command } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { LOCAL } from "./lib/paths.mjs";
import { duration, Problem, say, watched } from "./lib/run.mjs";
import { STAGES, testEnv } from "./lib/stages.mjs";
import { ensure } from "./setup.mjs";

const names = STAGES.map((stage) => stage.name);

const usage = `
Usage: npm test [-- stage...]

Builds and runs the tests; the last line is "N passed, N failed". Without a name all stages run:
${STAGES.map((stage) => `  ${stage.name.padEnd(12)} ${stage.title}`).join("\n")}

Example: npm test -- native wasm
`;

const print = (text) => process.stdout.write(`${text}\n`);

async function runStage(stage, env, unbuilt) {
  const start = Date.now();
  if (watched()) say(`running: ${stage.title} ...`);
  let result;
  try {
    result = stage.build && unbuilt ? { passed: 0, failed: 1, output: `not run: the build failed.\n${unbuilt}` } : await stage.run(env);
  } catch (error) {
    result = { passed: 0, failed: 1, output: error instanceof Problem ? error.message : (error?.stack ?? String(error)) };
  }
  const line = `${stage.name.padEnd(12)} ${stage.title.padEnd(34)} ${String(result.passed).padStart(5)} passed ${String(result.failed).padStart(4)} failed  ${duration(Date.now() - start)}`;
  if (result.failed > 0) print(`\n${result.output.trimEnd()}\n`);
  print(line);
  return { ...result, line };
}

await command({ usage, positionals: names }, async (_, wanted) => {
  if (await underRecentNode()) return process.exitCode;
  const stages = STAGES.filter((stage) => wanted.length === 0 || wanted.includes(stage.name));
  const needs = (...stageNames) => stages.some((stage) => stageNames.includes(stage.name));
  const env = testEnv(await ensure({ browser: needs("wasm", "spec", "e2e", "packaging", "real"), lints: needs("fmt", "clippy", "clippy-wasm", "features"), valgrind: needs("scripts") }));
  mkdirSync(LOCAL, { recursive: true });

  let unbuilt;
  if (stages.some((stage) => stage.build)) {
    try {
      await build([], env);
    } catch (error) {
      unbuilt = error instanceof Problem ? error.message : String(error.stack);
      print(`build failed:\n${unbuilt}\n`);
    }
  }
  const start = Date.now();
  const results = [];
  for (const stage of stages) results.push(await runStage(stage, env, unbuilt));
  const total = (count) => results.reduce((sum, result) => sum + result[count], 0);
  const broken = results.filter((result) => result.failed > 0);
  // Output of failures scrolls by: name them again at the end.
  if (broken.length > 0) print(`\nfailed:\n${broken.map((result) => result.line).join("\n")}`);
  print(`\n${stages.length} stages in ${duration(Date.now() - start)}`);
  print(`${total("passed")} passed, ${total("failed")} failed`);
  return total("failed") === 0 ? 0 : 1;
});
