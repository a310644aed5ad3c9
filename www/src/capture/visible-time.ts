/** For how long a page was visible. Told whenever it is hidden, left, or its route changes: what was visible since it was told last. */
import type { Scope } from "./scope.ts";

/** Less is nobody looking; it is told with what follows. */
const LEAST_MS = 1000;

export function visible_time(scope: Scope): void {
  const isVisible = (): boolean => document.visibilityState === "visible";
  const clock = performance;
  /** Since when it is visible; not there while it is not. */
  let since = isVisible() ? clock.now() : undefined;
  let sum = 0;

  scope.on(window, "visibilitychange pageshow", () => {
    if (isVisible()) since ??= clock.now();
  });
  scope.onLeave((how) => {
    const now = clock.now();
    sum += now - (since ?? now);
    since = how === "route" && isVisible() ? now : undefined;
    if (sum >= LEAST_MS) {
      scope.note("Page Engaged", { path: scope.view.path, seconds: Math.round(sum / 100) / 10 });
      sum = 0;
    }
    // A moment on one route is not the next one's.
    if (how === "route") sum = 0;
  });
}
