/**
 * What lasts in this tab as long as the preview does: whether the bar is open, at which of its sections, and as whom and when the site is
 * looked at. The Worker reads that from each page's address (`?idoine.now=...`), where links within the site do not have it: they get it here.
 */
import { onRoute } from "../navigation.ts";
import type { Idoine } from "../types.ts";
import { readOverrides, withOverrides, type Overrides } from "./address.ts";

const OPEN = "idoine_bar";
const AS = "idoine_bar_as";
const RESUMED = "idoine_bar_resumed";

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    // Without storage each page begins anew.
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, value);
  } catch {
    // As above.
  }
}

/** The section at which the bar was left open; `null` where it was closed. */
export const openedAt = (): string | null => read(OPEN);
export const keepOpen = (section: string | null): void => write(OPEN, section);

/** What goes along to other pages: all but what is said of one page. */
function lasting(overrides: Overrides): Map<string, string> {
  return new Map([...overrides].filter(([path]) => !path.startsWith("page.")));
}

function kept(): Map<string, string> {
  try {
    return new Map(JSON.parse(read(AS) ?? "[]") as [string, string][]);
  } catch {
    return new Map();
  }
}

function keep(overrides: Overrides): void {
  const all = [...lasting(overrides)];
  write(AS, all.length > 0 ? JSON.stringify(all) : null);
}

/** Opens this page with these overrides and no others. */
export function visitAs(overrides: Overrides): void {
  keep(overrides);
  const address = withOverrides(location.href, overrides);
  if (address === location.href) location.reload();
  else location.assign(address);
}

/** Whether this page was reached from another one of the site. */
function cameFromHere(): boolean {
  return document.referrer.startsWith(`${location.origin}/`);
}

/** What browsers with the Navigation API tell before a page is left, as far as it is used here. */
interface Leaving extends Event {
  readonly destination: { readonly url: string; readonly sameDocument: boolean };
  readonly formData: unknown;
  readonly downloadRequest: string | null;
  readonly navigationType: string;
}

/**
 * Has the overrides of this page go along wherever its links lead within the site. An address that somebody types is what it says: without
 * overrides it ends them. Returns whether this page is left at once for itself with overrides.
 */
export function follow(client: () => Partial<Idoine> | undefined): boolean {
  const here = readOverrides(location.href);
  const before = kept();
  if (here.size === 0 && before.size > 0 && cameFromHere()) {
    const address = withOverrides(location.href, before);
    // A site that takes them out again by a redirect has the last word.
    if (read(RESUMED) !== address) {
      write(RESUMED, address);
      location.replace(address);
      return true;
    }
  }
  write(RESUMED, null);
  keep(here);

  // Where it can be told beforehand no page is loaded twice.
  (window as { navigation?: EventTarget }).navigation?.addEventListener("navigate", (event) => {
    const { destination, formData, downloadRequest, navigationType, cancelable } = event as Leaving;
    const to = new URL(destination.url);
    const isElsewhere = to.origin !== location.origin || destination.sameDocument || readOverrides(to.href).size > 0;
    if (isElsewhere || !cancelable || formData || downloadRequest !== null || !["push", "replace"].includes(navigationType)) return;
    const as = kept();
    if (as.size === 0) return;
    event.preventDefault();
    const address = withOverrides(to.href, as);
    if (navigationType === "push") location.assign(address);
    else location.replace(address);
  });

  onRoute(() => {
    const as = kept();
    if (as.size === 0 || readOverrides(location.href).size > 0) return;
    history.replaceState(history.state, "", withOverrides(location.href, as));
    // The client may have asked about the route before it was said who looks at it.
    void client()?.decide?.();
  });
  return false;
}
