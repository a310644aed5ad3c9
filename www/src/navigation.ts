/** Route changes of single-page applications: the URL changes and no page is loaded. And leaving for another page. */

type Listener = (url: string, previous: string) => void;

const listeners = new Set<Listener>();
let current = "";
let installed = false;

/** The address without its fragment: moving within a page is no new page. */
function here(): string {
  return location.href.split("#", 1)[0]!;
}

/** An address that is tidied up in place (campaign parameters taken out, say) is still the same page. */
function check(replaced: boolean): void {
  const previous = current;
  current = here();
  if (current === previous || (replaced && current.split("?", 1)[0] === previous.split("?", 1)[0])) return;
  for (const listener of listeners) listener(current, previous);
}

function install(): void {
  installed = true;
  const { navigation } = globalThis as { navigation?: EventTarget };
  if (navigation) {
    return navigation.addEventListener("currententrychange", (event) =>
      check((event as Event & { navigationType?: string }).navigationType === "replace"),
    );
  }
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (this: History, ...args: Parameters<History["pushState"]>) {
      original.apply(this, args);
      check(name === "replaceState");
    };
  }
  addEventListener("popstate", () => check(false));
}

/** Calls back with the new and the previous address on every route change. Returns a function that ends it. */
export function onRoute(listener: Listener): () => void {
  if (!installed) {
    current = here();
    install();
  }
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The last address that this page was left for. */
let left = "";

/**
 * Leaves for the page at this address (the `redirect` of a variant), in this page's place. False when that is not to be done: it is this
 * page, or no page of the web, or the page did not let go of its visitor the last time. `preview`: its parameters go along within a site.
 */
export function leaveFor(address: string): boolean {
  try {
    const to = new URL(address, location.href);
    const named = /^https?:\/\//i.test(address);
    const within = to.origin === location.origin;
    if (!/^https?:/.test(to.protocol) || !(named || within)) return false;
    if (within) {
      for (const [name, value] of new URLSearchParams(location.search)) {
        if (name.startsWith("idoine.") && !to.searchParams.has(name)) to.searchParams.append(name, value);
      }
    }
    if (to.href.split("#", 1)[0] === here() || to.href === left) return false;
    location.replace((left = to.href));
    return true;
  } catch {
    return false;
  }
}
