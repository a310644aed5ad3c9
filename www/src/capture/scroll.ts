/** How far a page was scrolled: the lower edge of what was seen, in steps, each once for each view. */
import type { Scope } from "./scope.ts";

/** How often it is looked at most: sizes may cost the browser a layout. */
const PAUSE_MS = 100;

const STEPS = [25, 50, 75, 90, 100];

export function scroll(scope: Scope): void {
  let told = 0;
  let due: (() => void) | undefined;

  function look(box: Element): void {
    due = undefined;
    // A pixel less than all of it is all of it: zoomed pages have fractions.
    const percent = ((box.scrollTop + box.clientHeight + 1) / box.scrollHeight) * 100;
    for (; told < STEPS.length && percent >= STEPS[told]!; told++) scope.note("Page Scrolled", { percent: STEPS[told] });
  }

  scope.on(document, "scroll", ({ target }: Event) => {
    const box = target === document ? document.scrollingElement : (target as Element);
    // Many applications scroll an element that fills the window, and not the page.
    if (!box || due || (target !== document && (box.clientHeight < innerHeight * 0.6 || box.clientWidth < innerWidth * 0.6))) return;
    due = () => look(box);
    scope.later(PAUSE_MS, () => due?.());
  });
  scope.onLeave((how) => {
    // The next route may already stand there: what it is scrolled to says nothing of the old one.
    if (how === "route") [told, due] = [0, undefined];
    else due?.();
  });
}
