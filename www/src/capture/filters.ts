/** Filters and sorting of lists: elements marked with `data-idoine-filter="colour"` or `data-idoine-sort`. */
import { isPrivate, mark, nearest } from "./markup.ts";
import type { Scope } from "./scope.ts";

const FILTER = "[data-idoine-filter]";
const SORT = "[data-idoine-sort]";
/** Controls whose values are the site's own. What is typed is the visitor's, and is not told. */
const CHOICES = "select,input[type=checkbox],input[type=radio],input[type=range]";

interface Chosen {
  readonly type: string;
  readonly value: string;
}

/** What is chosen in a control. */
function values(control: Element): string[] {
  if (control instanceof HTMLSelectElement) return [...control.selectedOptions].map(({ value }) => value);
  const input = control as HTMLInputElement;
  return input.checked || input.type === "range" ? [input.value] : [];
}

/** What is chosen in all controls that are marked so: each by itself, or all within a marked element. */
function chosen(kind: "filter" | "sort"): Chosen[] {
  return [...document.querySelectorAll(`[data-idoine-${kind}]`)].flatMap((element) => {
    const controls = element.matches(CHOICES) ? [element] : [...element.querySelectorAll(CHOICES)];
    return controls.filter((control) => !isPrivate(control)).flatMap(values).filter(Boolean).map((value) => ({ type: mark(element, kind), value }));
  });
}

export function filters(scope: Scope): void {
  function tell(element: Element, picked: Partial<Record<"filters" | "sorts", Chosen>>): void {
    scope.track("Product List Filtered", {
      list_id: mark(element.closest("[data-idoine-list]"), "list"),
      filters: [...chosen("filter"), ...(picked.filters ? [picked.filters] : [])],
      sorts: [...chosen("sort"), ...(picked.sorts ? [picked.sorts] : [])],
    });
  }

  scope.on(document, "change", (event) => {
    const element = nearest(event, `${FILTER},${SORT}`);
    if (element && (event.target as Element).matches(CHOICES)) tell(element, {});
  });
  scope.on(document, "click", (event) => {
    const element = nearest(event, `${FILTER},${SORT}`);
    // A group of controls tells of their changes, and not of clicks between them.
    if (!element || element.matches("select,input,option") || element.querySelector("select,input")) return;
    const kind = element.matches(FILTER) ? "filter" : "sort";
    tell(element, { [`${kind}s`]: { type: mark(element, kind), value: mark(element, "value") } });
  });
}
