/** What visitors search for on the site: the parameter of a page of results, and forms that are marked with `data-idoine-search`. */
import { isPrivate, mark } from "./markup.ts";
import type { Scope } from "./scope.ts";
import { text } from "./text.ts";

/** Names of the parameter, unless `<html data-idoine-search="term keywords">` says others. */
const NAMES = "q s query search";

const names = (): string[] => (mark(document.documentElement, "search") || NAMES).split(/\s+/);

/** What an address searches for. */
function searched(href: string): string {
  try {
    const { searchParams, origin } = new URL(href);
    const name = names().find((one) => searchParams.get(one)?.trim());
    return origin === location.origin && name ? plain(searchParams.get(name)) : "";
  } catch {
    return "";
  }
}

const plain = (query: unknown): string => text(query).toLowerCase();

export function search(scope: Scope): void {
  /** What was told last: the address of results and the form that led there are one search. */
  let last = "";

  function tell(query: string): void {
    if (query && query !== last) scope.track("Products Searched", { query });
    last = query;
  }

  scope.onView(() => {
    const query = searched(location.href);
    // The next page of results, and results that are looked at again, are no new search.
    if (!scope.view.virtual && (scope.isReloaded || searched(document.referrer) === query)) last = query;
    else tell(query);
  });

  let due: (() => void) | undefined;
  scope.on(document, "submit", (event: SubmitEvent) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-idoine-search]")) return;
    const field = mark(form, "search");
    const input = form.querySelector<HTMLInputElement>(field ? `[name="${CSS.escape(field)}"]` : "input[type=search],input[type=text],input:not([type])");
    const query = isPrivate(input) ? "" : plain(input?.value);
    const leadsToIt = form.method === "get" && names().includes(input?.name ?? "");
    // When the page's own listeners are through, it is known whether the form leads to a page of results, which tells by itself.
    due = () => {
      due = undefined;
      if (event.defaultPrevented || !leadsToIt) tell(query);
    };
    scope.later(0, () => due?.());
  });
  scope.onLeave(() => due?.());
}
