// `npm run deploy`: checks, builds, and puts the Worker on Cloudflare; with `--setup` also what it needs there.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { command } from "./lib/cli.mjs";
import { bucketsOf, makeSecrets, problemsOf, queuesOf, SECRETS } from "./lib/deploy.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { ROOT } from "./lib/paths.mjs";
import { Problem, run, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run deploy [-- [--setup] [--dry-run] [--config FILE]]

Checks wrangler.toml, builds, and puts the Worker on Cloudflare. The first time:

  npx wrangler login
  npm run deploy -- --setup

  --setup         makes what is not there yet: queues and buckets that are bound, the key that signs ids (IDOINE_KEY), a token to publish with
                  (IDOINE_TOKENS), which is shown once. The KV namespace is made by the deploy itself. What is there stays as it is
  --dry-run       checks and builds, and sends nothing
  --config FILE   another configuration than wrangler.toml

Example: npm run deploy -- --dry-run
`;

const WRANGLER = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");

/** Runs wrangler and returns what it said. */
const ask = (args, env) => run([process.execPath, WRANGLER, ...args], { cwd: ROOT, env: { ...env, NO_COLOR: "1", FORCE_COLOR: "0" } });

/** Runs wrangler before the person's eyes: it may have questions. Returns its exit code. */
function show(args, env) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env, stdio: "inherit" });
    child.on("error", (error) => (say(error.message), done(1))).on("exit", (code) => done(code ?? 1));
  });
}

async function read(config) {
  const { unstable_readConfig: readConfig } = await import("wrangler");
  let found;
  try {
    found = readConfig({ config });
  } catch (error) {
    const line = error.location?.line === undefined ? "" : `:${error.location.line}`;
    throw new Problem(`${config}${line}: ${error.message}`);
  }
  const problems = problemsOf(found);
  if (problems.length > 0) throw new Problem(`${config} can't be deployed:\n${problems.map((problem) => `  - ${problem}`).join("\n")}\nWhat belongs there: docs/deploy.md`);
  return found;
}

/** What wrangler said, without the sign of its name. */
const words = (output) => output.split("\n").filter((line) => line.trim() !== "" && !/^[─-]+$|⛅/.test(line)).join("\n");

/** Names of the Worker's secrets; none when there is no Worker of that name yet. */
async function secretsOf(where, env) {
  const { code, stdout, output } = await ask(["secret", "list", "--format", "json", ...where], env);
  if (code === 0) return JSON.parse(stdout.slice(stdout.indexOf("["))).map(({ name }) => name);
  if (/\b10007\b|does not exist|not found/i.test(output)) return [];
  throw new Problem(`Cloudflare can't be asked. Sign in with \`npx wrangler login\`, or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID. wrangler said:\n${words(output)}`);
}

/** Makes the queues that are bound and not there. */
async function makeQueues(names, where, env) {
  for (const name of names) {
    if ((await ask(["queues", "info", name, ...where], env)).code === 0) continue;
    const { code, output } = await ask(["queues", "create", name, ...where], env);
    if (code !== 0) throw new Problem(`The queue ${name} can't be made. Without [[queues.producers]] in the configuration the Worker does without it. wrangler said:\n${words(output)}`);
    say(`made the queue ${name}`);
  }
}

/** Makes the buckets that are bound and not there. */
async function makeBuckets(names, where, env) {
  if (names.length === 0) return;
  const trouble = (what, output) => new Problem(`${what} Without [[r2_buckets]] in the configuration the Worker does without. wrangler said:\n${words(output)}`);
  const { code, stdout, output } = await ask(["r2", "bucket", "list", ...where], env);
  if (code !== 0) throw trouble("The account's R2 buckets can't be listed; R2 has to be opened once in the dashboard.", output);
  const there = new Set([...stdout.matchAll(/^name:\s+(\S+)/gm)].map(([, name]) => name));
  for (const name of names.filter((name) => !there.has(name))) {
    const made = await ask(["r2", "bucket", "create", name, ...where], env);
    if (made.code !== 0) throw trouble(`The bucket ${name} can't be made.`, made.output);
    say(`made the bucket ${name}`);
  }
}

/** Deploys, with values for secrets if there are any: from a file that only we can read, as a command line is visible to all. */
async function deploy(where, secrets, env) {
  if (Object.keys(secrets).length === 0) return show(["deploy", ...where], env);
  const folder = mkdtempSync(join(tmpdir(), "idoine-secrets-"));
  try {
    const file = join(folder, "secrets.json");
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
    return await show(["deploy", ...where, "--secrets-file", file], env);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const options = { setup: { type: "boolean" }, "dry-run": { type: "boolean" }, config: { type: "string" } };

await command({ usage, options }, async ({ setup, "dry-run": isDry, config: named }) => {
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure({ rust: false }); // wrangler builds, as wrangler.toml says
  const path = named === undefined ? join(ROOT, "wrangler.toml") : resolve(process.env.INIT_CWD ?? process.cwd(), named);
  const config = await read(path);
  const where = ["--config", path];
  if (isDry) return show(["deploy", "--dry-run", ...where], env);

  const there = await secretsOf(where, env);
  const missing = SECRETS.filter((name) => !there.includes(name));
  if (missing.length > 0 && !setup) throw new Problem(`The Worker ${config.name} has no ${missing.join(" and no ")}. \`npm run deploy -- --setup\` makes what is missing and deploys.`);
  if (setup) {
    await makeQueues(queuesOf(config), where, env);
    await makeBuckets(bucketsOf(config), where, env);
  }
  const { values, token } = makeSecrets(missing);
  const code = await deploy(where, values, env);
  if (code !== 0) return code;
  for (const name of missing) say(`made the secret ${name}`);
  if (token !== undefined) say(`a token to publish with, shown this once; keep it like a password:\n\n  ${token}\n`);
  say("deployed. Programs are published apart from it: docs/publishing.md");
  return 0;
});
