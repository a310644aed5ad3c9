/** What is copied out of a page: how much and where, and not the text. */
import { place } from "./markup.ts";
import type { Scope } from "./scope.ts";

export function copy(scope: Scope): void {
  scope.on(document, "copy", ({ target }: Event) => {
    const { length } = String(getSelection() ?? "").trim();
    const element = target instanceof Element ? target : document.body;
    // What somebody wrote themselves is theirs.
    if (!length || element.closest("input,textarea,[contenteditable]")) return;
    scope.note("Content Copied", { length, where: place(element) });
  });
}
