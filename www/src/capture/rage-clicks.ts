/** Clicks in anger: three or more within a second, in about the same place. Each burst is told once. */
import { mark, nearest, place } from "./markup.ts";
import type { Scope } from "./scope.ts";

const CLICKS = 3;
const WITHIN_MS = 1000;
const WITHIN_PX = 30;

/** Where many clicks are how it is used. */
const MEANT = "input,textarea,select,option,label,video,audio,canvas,[contenteditable]";

export function rage_clicks(scope: Scope): void {
  let burst: MouseEvent[] = [];
  let isTold = false;

  scope.on(document, "click", (event: MouseEvent) => {
    // A key, or a script, clicks nowhere.
    if (!event.isTrusted || !event.detail || nearest(event, MEANT)) return;
    const before = burst.at(-1);
    if (!before || event.timeStamp - before.timeStamp > WITHIN_MS || Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > WITHIN_PX) [burst, isTold] = [[], false];
    burst = [...burst.slice(1 - CLICKS), event];
    // Three clicks at once select a paragraph.
    const isSelecting = getSelection()?.type === "Range";
    if (isTold || isSelecting || burst.length < CLICKS || event.timeStamp - burst[0]!.timeStamp > WITHIN_MS) return;
    isTold = true;
    const element = event.composedPath()[0] as Element;
    scope.note("Element Rage Clicked", { name: mark(nearest(event, "[data-idoine-click]"), "click"), element: place(element) });
  });
}
