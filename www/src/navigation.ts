/** Route changes of single-page applications: the URL changes and no page is loaded. And leaving for another page. */

/** After this a page that was left for another one is taken to be here still. */
const LEAVING_MS = 2000;

type Listener = (previous: string) => void;

const listeners = new Set<Listener>();
/** The address of this page; not there as long as nobody follows routes. */
let current: string;

/** An address without its fragment, by default this page's: moving within a page is no new page. */
export function pageOf(href: string = location.href): string {
  return href.split("#")[0]!;
}

/** An address that is tidied up in place (campaign parameters taken out, say) is still the same page. */
function check(replaced?: boolean): void {
  const previous = current;
  current = pageOf();
  if (current === previous || (replaced && current.split("?")[0] === previous.split("?")[0])) return;
  for (const listener of listeners) listener(previous);
}

function install(): void {
  const navigation = (window as { navigation?: EventTarget }).navigation;
  if (navigation) {
    return navigation.addEventListener("currententrychange", (event) =>
      check((event as Event & { navigationType?: string }).navigationType === "replace"),
    );
  }
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      check(name === "replaceState");
    };
  }
  addEventListener("popstate", () => check());
}

/** Calls back with the previous address on every route change, also on one `since` that address. Returns a function that ends it. */
export function onRoute(listener: Listener, since?: string): () => void {
  if (!current) {
    current = pageOf();
    install();
  }
  listeners.add(listener);
  const before = since && pageOf(since);
  if (before && before !== current) listener(before);
  return () => listeners.delete(listener);
}

/** The last address that this page was left for. */
let left: string;

/**
 * Leaves for the page at this address (the `redirect` of a variant), in this page's place, and takes its time then: whoever waits for
 * this page goes on waiting, unless the browser stays here after all. At once it is back where there is nothing to leave for: this page, or no
 * page of the web, or one that did not come the last time. The parameters of a preview go along within a site.
 */
export async function leaveFor(address: string): Promise<void> {
  try {
    const to = new URL(address, location.href);
    const within = to.origin === location.origin;
    // Another site has to be named whole.
    if (!/^https?:\/\//i.test(within ? to.href : address)) return;
    if (within) {
      for (const [name, value] of new URL(location.href).searchParams) {
        if (name.startsWith("idoine.") && !to.searchParams.has(name)) to.searchParams.set(name, value);
      }
    }
    if (pageOf(to.href) === pageOf() || to.href === left) return;
    location.replace((left = to.href));
    await new Promise((resolve) => setTimeout(resolve, LEAVING_MS));
  } catch {
    // No address: nothing to leave for.
  }
}
