/** Products that a page describes for search engines: JSON-LD and microdata of schema.org. */
import { isPrivate } from "./markup.ts";
import type { Facts } from "./text.ts";

/** Characters of a script that is read, and nodes that are looked at in it. */
const LONGEST = 200_000;
const MOST_NODES = 1000;

type Node = Readonly<Record<string, any>>;

const list = (value: unknown): any[] => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);
const isA = (node: Node, type: RegExp): boolean => list(node["@type"]).some((name) => type.test(String(name)));
const PRODUCT = /(^|[/:])(Product|ProductGroup|IndividualProduct|ProductModel|Vehicle|Book)$/;

/** A thing's name, where it is a thing. */
const nameOf = (value: any): unknown => (value && typeof value === "object" ? value.name : value);

/** A price as text or number. */
const price = (value: unknown): number | undefined => (value !== undefined && value !== null && value !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined);

/** A product in the words of Ecommerce v2; undefined for one without an id or a name. */
function read(node: Node): Facts | undefined {
  const offer: Node = list(node.offers)[0] ?? {};
  const category = nameOf(list(node.category)[0]);
  const id = [node.sku, node.productID, node.productGroupID, node.mpn, node.gtin, node.gtin13, node.gtin14, node.gtin12, node.gtin8].find((one) => one !== undefined && one !== "");
  const name = nameOf(node.name);
  if (id === undefined && !name) return undefined;
  return {
    product_id: String(id ?? name),
    sku: node.sku === undefined ? undefined : String(node.sku),
    name,
    brand: nameOf(list(node.brand)[0]),
    category,
    variant: nameOf(list(node.color)[0]),
    price: price(offer.price ?? offer.lowPrice ?? list(offer.priceSpecification)[0]?.price),
    currency: offer.priceCurrency ?? list(offer.priceSpecification)[0]?.priceCurrency,
  };
}

/** The products that the page itself is about: neither those of its lists, nor what is related to one. */
function fromScripts(): Node[] {
  let left = MOST_NODES;
  const found: Node[] = [];
  const walk = (value: unknown): void => {
    for (const node of list(value)) {
      if (!node || typeof node !== "object" || left-- <= 0) continue;
      if (isA(node, PRODUCT)) found.push(node);
      else {
        walk(node["@graph"]);
        walk(node.mainEntity);
      }
    }
  };
  for (const { textContent } of document.querySelectorAll('script[type="application/ld+json"]')) {
    try {
      if (textContent!.length <= LONGEST) walk(JSON.parse(textContent!));
    } catch {
      // Not JSON: the page's own mistake, and nobody's product.
    }
  }
  return found;
}

/** The value of a microdata property, as the standard has it; a thing within is one again. */
function valueOf(element: Element): unknown {
  if (element.hasAttribute("itemscope")) return itemOf(element);
  return element.getAttribute("content") ?? element.getAttribute("value") ?? element.getAttribute("href") ?? element.textContent?.trim();
}

function itemOf(item: Element): Node {
  const node: Record<string, unknown> = {};
  for (const element of item.querySelectorAll("[itemprop]")) {
    const owner = element.parentElement?.closest("[itemscope]");
    if (owner !== item || isPrivate(element)) continue;
    for (const name of element.getAttribute("itemprop")!.split(/\s+/)) node[name] ??= valueOf(element);
  }
  return node;
}

function fromMarkup(): Node[] {
  return [...document.querySelectorAll("[itemscope][itemtype$='schema.org/Product']")].filter((element) => !element.parentElement?.closest("[itemscope]") && !isPrivate(element)).map(itemOf);
}

/** The product of a page that is about one; undefined where it is about none, or shows several. */
export function productOfPage(): Facts | undefined {
  const written = fromScripts();
  const found = (written.length ? written : fromMarkup()).map(read);
  const [first] = found;
  return first && found.every((one) => one?.product_id === first.product_id) ? first : undefined;
}
