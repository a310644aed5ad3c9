/**
 * Capture: what visitors do in a page is told without a line of code in it. Each kind is switched on by its name and stands in a file of its
 * own; docs/capture.md has a row for each.
 */
import type { Capture } from "../types.ts";
import { clicks } from "./clicks.ts";
import { copy } from "./copy.ts";
import { data_layer } from "./data-layer.ts";
import { downloads } from "./downloads.ts";
import { ecommerce } from "./ecommerce.ts";
import { errors } from "./errors.ts";
import { filters } from "./filters.ts";
import { forms } from "./forms.ts";
import { outbound } from "./outbound.ts";
import { pages } from "./pages.ts";
import { rage_clicks } from "./rage-clicks.ts";
import { createScope, type OnRoute, type Scope, type Tell } from "./scope.ts";
import { scroll } from "./scroll.ts";
import { search } from "./search.ts";
import { video } from "./video.ts";
import { visible_time } from "./visible-time.ts";
import { web_vitals } from "./web-vitals.ts";

/** All kinds, by their names in `data-capture`. A view is told of in this order. */
export const KINDS: Readonly<Record<Capture, (scope: Scope) => void>> = {
  pages,
  visible_time,
  scroll,
  clicks,
  forms,
  search,
  filters,
  video,
  outbound,
  downloads,
  copy,
  ecommerce,
  data_layer,
  web_vitals,
  rage_clicks,
  errors,
};

/** Starts those kinds. What is returned ends them: nothing of them listens any more, and the page's own functions are its own again. */
export function start(names: readonly string[], tell: Tell, onRoute: OnRoute): () => void {
  const { scope, begin, end } = createScope(tell, onRoute);

  function open(): void {
    for (const [name, kind] of Object.entries(KINDS)) {
      if (!names.includes(name)) continue;
      try {
        kind(scope);
      } catch {
        // What a browser does not have keeps the other kinds from nothing.
      }
    }
    begin();
  }

  // A page that is rendered ahead is seen by nobody yet, and perhaps never.
  if (document.prerendering) scope.on(document, "prerenderingchange", open);
  else open();
  return end;
}
