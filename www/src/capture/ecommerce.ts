/**
 * Products and carts, from the markup: elements with `data-idoine-event="Product Added"`, and the product that a page describes for search engines.
 * Names and properties are those of Segment's Ecommerce v2.
 */
import { isPrivate, mark, nearest, properties } from "./markup.ts";
import { productOfPage } from "./products.ts";
import type { Scope } from "./scope.ts";
import type { Facts } from "./text.ts";

/** For how long a view may still get its markup, and after which pause that is looked at. */
const PATIENCE_MS = 3000;
const PAUSE_MS = 250;

/** What an element marked with `data-idoine-product` says of one. */
const product = (element: Element): Facts => ({ product_id: mark(element, "product"), ...properties(element) });

/** What a marked element tells: of all products within, or else of the one that it is in; and what it says by itself. */
function facts(element: Element): Facts {
  const products = [...element.querySelectorAll("[data-idoine-product]")].filter((one) => !isPrivate(one)).map(product);
  const around = element.closest("[data-idoine-product]");
  return { ...(products.length ? { products } : around && product(around)), ...properties(element) };
}

export function ecommerce(scope: Scope): void {
  /** What elements have told that tell by being there. */
  const shown = new WeakMap<Element, string>();
  /** The product of the view before: markup that was left behind by it is not the next one's. */
  let last: unknown;
  let watching: (() => void) | undefined;

  function look(): void {
    for (const element of document.querySelectorAll("[data-idoine-event][data-idoine-on=load]")) {
      if (isPrivate(element)) continue;
      const told = facts(element);
      const event = mark(element, "event");
      const key = JSON.stringify([event, told]);
      if (shown.get(element) === key) continue;
      shown.set(element, key);
      // A page of thanks that is loaded again is no other order.
      if (!(told.order_id && scope.isReloaded)) scope.track(event, told);
    }
    const found = productOfPage();
    if (found && found.product_id !== last && scope.isFirst(`Product Viewed ${String(found.product_id)}`)) scope.track("Product Viewed", found);
    last = found?.product_id;
  }

  scope.onView(() => {
    watching?.();
    look();
    let isDue = false;
    const observer = new MutationObserver(() => {
      if (isDue) return;
      isDue = true;
      scope.later(PAUSE_MS, () => {
        isDue = false;
        look();
      });
    });
    observer.observe(document, { subtree: true, childList: true, characterData: true });
    const stop = scope.later(PATIENCE_MS, () => watching?.());
    watching = () => {
      observer.disconnect();
      stop();
      watching = undefined;
    };
  });
  scope.onEnd(() => watching?.());

  scope.on(document, "click submit", (event: Event) => {
    const element = nearest(event, "[data-idoine-event]");
    // A form tells when it is handed in.
    if (element && mark(element, "on") !== "load" && (event.type === "submit") === element.matches("form")) scope.track(mark(element, "event"), facts(element));
  });
}
