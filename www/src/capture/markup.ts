/** What a page's markup says to us: attributes that begin with `data-idoine-`. */
import type { Facts } from "./text.ts";

const PREFIX = "data-idoine-";

/** What has a meaning of its own there, and is no property. */
const RESERVED = /^(click|event|on|filter|sort|value|list|form|search|video|product|private|slot)$/;

/** Names whose values are no numbers, whatever they look like. */
const IS_ID = /(^|_)(id|sku|code|coupon)$/;

/** The nearest element around what an event is about that a selector matches, out of open shadow roots too. */
export function nearest<E extends Element = HTMLElement>(event: Event, selector: string): E | undefined {
  return event.composedPath().find((node) => (node as Element).matches?.(selector)) as E | undefined;
}

/** Whether an element is within `data-idoine-private`: nothing of it is told. */
export const isPrivate = (element: Element | null | undefined): boolean => !!element?.closest(`[${PREFIX}private]`);

/** An attribute of ours. */
export const mark = (element: Element | null | undefined, name: string): string => element?.getAttribute(PREFIX + name) ?? "";

function valueOf(name: string, written: string): unknown {
  if (written === "true" || written === "false") return written === "true";
  return !IS_ID.test(name) && /^-?(0|[1-9]\d{0,14})(\.\d{1,6})?$/.test(written) ? Number(written) : written;
}

/** The properties that an element has: of `data-idoine-product-id="p1" data-idoine-price="9.5"` `{ product_id: "p1", price: 9.5 }`. */
export function properties(element: Element): Facts {
  const found: [string, unknown][] = [];
  for (const { name, value } of element.attributes) {
    if (!name.startsWith(PREFIX)) continue;
    const property = name.slice(PREFIX.length).replaceAll("-", "_");
    if (!RESERVED.test(property)) found.push([property, valueOf(property, value)]);
  }
  return Object.fromEntries(found);
}

/** Where an element is, in the words of the markup: `button#buy`, `p in main`. */
export function place(element: Element): string {
  const own = named(element);
  const around = element.id ? null : element.closest("[id],main,article,section,nav,header,footer,aside,form,dialog");
  return around && around !== element ? `${own} in ${named(around)}` : own;
}

const named = (element: Element): string => element.localName + (element.id && `#${element.id}`);
