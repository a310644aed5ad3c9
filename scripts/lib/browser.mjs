// Chromium and its driver, for the tests. No tool may download a browser of its own.
import { existsSync } from "node:fs";
import { canInstall, install } from "./apt.mjs";
import { Problem, step, which } from "./run.mjs";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MAC = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

function find(env) {
  const first = (paths) => paths.find((path) => path && existsSync(path));
  return {
    browser: first([env.IDOINE_CHROMIUM, env.CHROME_BIN, ...BROWSERS.map((name) => which(name, env)), ...MAC]),
    driver: first([env.CHROMEDRIVER, which("chromedriver", env), "/usr/lib/chromium-browser/chromedriver"]),
  };
}

/** The paths of Chromium (or Chrome) and chromedriver. */
export async function ensureBrowser(env) {
  let found = find(env);
  if ((!found.browser || !found.driver) && (await canInstall(env))) {
    await step("installing Chromium and its driver for the tests", "1 minute", () => install(["chromium", "chromium-driver"], env));
    found = find(env);
  }
  if (found.browser && found.driver) return found;
  const missing = [!found.browser && "Chromium or Chrome", !found.driver && "chromedriver (of the same major version)"].filter(Boolean);
  throw new Problem(
    `The tests need ${missing.join(" and ")}.\n` +
      "  Debian: sudo apt-get install chromium chromium-driver\n" +
      "  macOS:  brew install --cask google-chrome chromedriver\n" +
      "Or name them: CHROME_BIN=/path/to/chrome CHROMEDRIVER=/path/to/chromedriver npm test",
  );
}
