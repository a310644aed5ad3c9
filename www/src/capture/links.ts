/** Links that are followed, by whatever button of the mouse or key. */
import { nearest } from "./markup.ts";
import type { Scope } from "./scope.ts";

/** Calls back with each link to the web that a visitor follows, and its address. */
export function onLink(scope: Scope, listener: (link: HTMLAnchorElement, to: URL) => void): void {
  scope.on(document, "click auxclick", (event: MouseEvent) => {
    const link = nearest<HTMLAnchorElement>(event, "a[href],area[href]");
    // The middle button opens a link in another tab, the right one a menu.
    if (!link || event.button > 1) return;
    // A link in a picture of vectors has an object there.
    const to = new URL(link.getAttribute("href")!, document.baseURI);
    if (/^(https?|blob|data):$/.test(to.protocol)) listener(link, to);
  });
}
