/** Clicks on elements that are marked: `<button data-idoine-click="menu" data-idoine-position="top">`. */
import { mark, nearest, properties } from "./markup.ts";
import type { Scope } from "./scope.ts";

export function clicks(scope: Scope): void {
  scope.on(document, "click", (event) => {
    const element = nearest(event, "[data-idoine-click]");
    if (element) scope.track("Element Clicked", { ...properties(element), name: mark(element, "click") });
  });
}
