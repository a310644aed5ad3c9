/**
 * What a page tells Google's tags through `dataLayer`: GA4's events, pushed for the Tag Manager (`{ event, ecommerce }`) or by `gtag("event", ...)`, in
 * the words of Ecommerce v2. What stood there before counts too, and the queue works on as it did.
 */
import { translate } from "./ga4.ts";
import { mark } from "./markup.ts";
import type { Scope } from "./scope.ts";
import type { Facts } from "./text.ts";

/** Entries that are read of what stood there before. */
const MOST = 500;

export function data_layer(scope: Scope): void {
  const name = mark(document.documentElement, "data-layer") || "dataLayer";
  const holder = window as unknown as Record<string, unknown[] | undefined>;
  const queue = (holder[name] ??= []);
  let isOver = false;

  function take(entry: any, isOld: boolean): void {
    const isCall = entry?.[0] === "event";
    const event: unknown = isCall ? entry[1] : entry?.event;
    const given = (isCall ? entry[2] : (entry?.ecommerce ?? entry)) as Facts | undefined;
    for (const [told, properties] of translate(event, given ?? {})) {
      // What a page of thanks pushes when it is loaded again is no other order.
      if (isOld && told === "Order Completed" && scope.isReloaded) continue;
      if (told !== "Product Viewed" || scope.isFirst(`${told} ${String(properties.product_id)}`)) scope.track(told, properties);
    }
  }

  /** Whatever is in an entry, the page's `push` answers as it always did. */
  function look(entries: ArrayLike<unknown>, isOld: boolean): void {
    for (const entry of Array.from(entries)) scope.safely(() => take(entry, isOld));
  }

  // A page view is told first, and what was done in it behind it.
  const waiting: unknown[] = queue.slice(-MOST);
  let hasBegun = false;
  scope.onView(() => {
    if (!hasBegun) look(waiting, true);
    hasBegun = true;
  });

  // Google's own scripts put a `push` of theirs here as well: each calls the one before it.
  const isOwn = Object.hasOwn(queue, "push");
  const before = queue.push;
  const ours = function (this: unknown[], ...entries: unknown[]): number {
    const length = before.apply(queue, entries);
    if (!isOver) look(entries, false);
    return length;
  };
  queue.push = ours;
  scope.onEnd(() => {
    isOver = true;
    // Where somebody has put theirs over ours since, ours only hands on.
    if (queue.push !== ours) return;
    if (isOwn) queue.push = before;
    else delete (queue as { push?: unknown }).push;
  });
}
