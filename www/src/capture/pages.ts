/** Page views, and those of single-page applications' routes. */
import type { Scope } from "./scope.ts";

export function pages(scope: Scope): void {
  scope.onView(() => {
    const { path, virtual, referrer } = scope.view;
    scope.page({ path, title: document.title, referrer, virtual });
  });
}
