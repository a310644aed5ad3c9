// What `npm run deploy` looks at before it asks Cloudflare for anything, and the secrets that it makes.
import { randomBytes } from "node:crypto";

/** Secrets that a live Worker needs: what signs ids and preview links, and the tokens of the API. */
export const SECRETS = ["IDOINE_KEY", "IDOINE_TOKENS"];

const HOST = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$/i;

/** Whether a host is this machine, which no Worker on Cloudflare can reach. */
const isLoopback = (host) => host === "localhost" || host.endsWith(".localhost") || /^127\.|^\[::1\]$|^0\.0\.0\.0$/.test(host);

const routesOf = ({ route, routes }) => [...(routes ?? []), ...(route === undefined ? [] : [route])].map((one) => (typeof one === "string" ? { pattern: one } : one));

/** The host of a route's pattern, without scheme and path. */
const hostOf = (pattern) => pattern.replace(/^\w+:\/\//, "").split("/", 1)[0].toLowerCase();

/** Names of bindings that have a `fetch`. */
const fetchers = ({ services, assets }) => [...(services ?? []).map(({ binding }) => binding), ...(assets?.binding === undefined ? [] : [assets.binding])];

/** What is wrong with an origin; `where` names it. */
function originProblem(config, origin, where) {
  const routes = routesOf(config);
  if (typeof origin !== "string" || origin === "") return `${where} is missing: the site's own address, such as "https://origin.shop.example", or "binding:NAME", or "zone".`;
  if (origin === "zone") {
    return routes.some(({ custom_domain: custom }) => !custom) ? undefined : `${where} is "zone", which is the site behind a route: give the Worker one, such as routes = [{ pattern = "shop.example/*", zone_name = "shop.example" }], or name the site's address.`;
  }
  const binding = /^binding:(.*)$/.exec(origin)?.[1];
  if (binding !== undefined) {
    const names = fetchers(config);
    return names.includes(binding) ? undefined : `${where} is "${origin}", but there is no service or assets binding of that name; there are: ${names.join(", ") || "none"}.`;
  }
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return `${where} is "${origin}": a URL such as "https://origin.shop.example" is needed, or "binding:NAME", or "zone".`;
  if (isLoopback(url.hostname)) return `${where} is ${origin}, which is this machine and can't be reached from Cloudflare: set it to the address at which the site itself answers.`;
  if (url.search || url.hash || url.username) return `${where} is ${origin}: leave out what is not scheme, host or path.`;
  const own = routes.find((route) => route.custom_domain && hostOf(route.pattern) === url.hostname);
  return own === undefined ? undefined : `${where} is ${origin}, the custom domain of the Worker itself: it would ask itself. Set it to where the site answered before, under another name, or use a route and "zone".`;
}

/** The variable `SITES` as an object; a text that says what is wrong with it. */
function sitesOf({ SITES }) {
  if (typeof SITES !== "string") return SITES ?? {};
  try {
    return JSON.parse(SITES);
  } catch (error) {
    return `SITES is no JSON: ${error.message}`;
  }
}

/**
 * All that is wrong with a configuration, each with what to do.
 * @param {object} config as wrangler reads it
 * @returns {string[]}
 */
export function problemsOf(config) {
  const vars = config.vars ?? {};
  const found = [];
  const sites = sitesOf(vars);
  const isList = sites !== null && typeof sites === "object" && !Array.isArray(sites);
  if (!isList) found.push(typeof sites === "string" ? sites : "SITES is no object: host names with { site, origin } each.");
  for (const [host, setting] of isList ? Object.entries(sites) : []) {
    if (!HOST.test(host)) found.push(`SITES has "${host}", which is no host name: use one such as "shop.example" or "*.shop.example".`);
    if (typeof setting?.site !== "string" || setting.site === "") found.push(`SITES."${host}" has no site: the manifest's site.id.`);
    found.push(originProblem(config, setting?.origin, `The origin of SITES."${host}"`));
  }
  // With SITES they are for all other hosts, and may be left out.
  if (!isList || Object.keys(sites).length === 0 || vars.ORIGIN !== undefined) {
    found.push(originProblem(config, vars.ORIGIN, "ORIGIN"));
    if (typeof vars.IDOINE_SITE !== "string" || vars.IDOINE_SITE === "") found.push("IDOINE_SITE is missing: the manifest's site.id.");
  }
  for (const name of SECRETS) if (vars[name] !== undefined) found.push(`${name} is a secret and must not stand in a file: take it out of [vars]; \`npm run deploy -- --setup\` makes one.`);
  if (vars.IDOINE_PREVIEW !== undefined) found.push("IDOINE_PREVIEW is for `npm start` alone: take it out of [vars].");
  if (!(config.kv_namespaces ?? []).some(({ binding }) => binding === "PROGRAMS")) found.push('There is no KV namespace for programs: add [[kv_namespaces]] with binding = "PROGRAMS".');
  if (!(config.durable_objects?.bindings ?? []).some(({ name, class_name: type }) => name === "PROFILES" && type === "Profiles")) found.push('There are no objects for profiles: add [[durable_objects.bindings]] with name = "PROFILES", class_name = "Profiles", and the [[migrations]] of the template.');
  if (config.assets?.binding !== "ASSETS") found.push('There are no files for browsers: add [assets] with directory = "dist/assets", binding = "ASSETS", run_worker_first = true.');
  else if (config.assets.run_worker_first !== true) found.push("[assets] needs run_worker_first = true: otherwise pages in that folder go out past the Worker.");
  return found.filter((problem) => problem !== undefined);
}

/** Queues that the Worker sends to. */
export const queuesOf = ({ queues }) => (queues?.producers ?? []).map(({ queue }) => queue);

/** Buckets that the Worker writes to. */
export const bucketsOf = ({ r2_buckets: buckets }) => (buckets ?? []).map(({ bucket_name: name }) => name).filter((name) => name !== undefined);

const random = () => randomBytes(32).toString("base64url");

/** Values for secrets that are missing, and the token that is in them. */
export function makeSecrets(missing) {
  const token = random();
  const values = { IDOINE_KEY: random(), IDOINE_TOKENS: `publish:deploy:${token}` };
  return { values: Object.fromEntries(missing.map((name) => [name, values[name]])), token: missing.includes("IDOINE_TOKENS") ? token : undefined };
}
