/**
 * Capture: what visitors do in a page is told without a line of code in it. Each kind is switched on by its name and stands in a file of its
 * own; docs/capture.md has a row for each.
 */
import type { Capture } from "../types.ts";
import { clicks } from "./clicks.ts";
import { copy } from "./copy.ts";
import { downloads } from "./downloads.ts";
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

/** One load, so that its kinds begin in the order in which they were asked for. */
let shop: Promise<typeof import("./shop.js")> | undefined;

/** A kind that is loaded when it is switched on: other sites do without its bytes. */
const ofShops = (kind: "ecommerce" | "data_layer") => (scope: Scope): void => {
  shop ??= import("./shop.js");
  shop.then(
    (kinds) => scope.safely(() => kinds[kind](scope)),
    // Without it nothing of it is told. Who starts again tries again.
    () => (shop = undefined),
  );
};

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
  ecommerce: ofShops("ecommerce"),
  data_layer: ofShops("data_layer"),
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
