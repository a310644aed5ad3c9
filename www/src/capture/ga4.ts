/** What Google Analytics 4 calls things, in the words of Segment's Ecommerce v2. */
import type { Facts } from "./text.ts";

/** Names in GA4, and here. */
type Names = Readonly<Record<string, string>>;

/** Of an item. */
const ITEM: Names = {
  item_id: "product_id",
  item_name: "name",
  item_brand: "brand",
  item_category: "category",
  item_variant: "variant",
  price: "price",
  quantity: "quantity",
  index: "position",
  coupon: "coupon",
};
/** Of an event about a list of them. */
const LIST: Names = { item_list_id: "list_id", item_list_name: "category" };
/** Of an event about money. */
const MONEY: Names = { currency: "currency", value: "value", coupon: "coupon" };
const ORDER: Names = { ...MONEY, transaction_id: "order_id", value: "revenue", affiliation: "affiliation", shipping: "shipping", tax: "tax" };
const PROMOTION: Names = { promotion_id: "promotion_id", promotion_name: "name", creative_name: "creative", creative_slot: "position" };
const SEARCH: Names = { search_term: "query" };
const METHOD: Names = { method: "method" };

/** An event's name here; what is told of it; and of its items: each in an event of its own, the first, or all as `products`. */
type Rule = readonly [event: string, names: Names, items?: "each" | "first" | "all"];

/** The events of theirs that are told. */
export const RULES: Readonly<Record<string, Rule>> = {
  view_item: ["Product Viewed", MONEY, "first"],
  view_item_list: ["Product List Viewed", LIST, "all"],
  select_item: ["Product Clicked", LIST, "first"],
  add_to_cart: ["Product Added", { currency: "currency" }, "each"],
  remove_from_cart: ["Product Removed", { currency: "currency" }, "each"],
  add_to_wishlist: ["Product Added to Wishlist", { currency: "currency" }, "each"],
  view_cart: ["Cart Viewed", MONEY, "all"],
  begin_checkout: ["Checkout Started", MONEY, "all"],
  add_shipping_info: ["Checkout Step Completed", { ...MONEY, shipping_tier: "shipping_method" }, "all"],
  add_payment_info: ["Payment Info Entered", { ...MONEY, payment_type: "payment_method" }, "all"],
  purchase: ["Order Completed", ORDER, "all"],
  refund: ["Order Refunded", ORDER, "all"],
  view_promotion: ["Promotion Viewed", PROMOTION],
  select_promotion: ["Promotion Clicked", PROMOTION],
  search: ["Products Searched", SEARCH],
  view_search_results: ["Products Searched", SEARCH],
  sign_up: ["Signed Up", METHOD],
  login: ["Signed In", METHOD],
};

const NUMBERS = /^(price|quantity|position|value|revenue|shipping|tax)$/;
const MOST_ITEMS = 50;

/** A value as it is told here: numbers are often written as text, ids as numbers. */
function valueOf(name: string, value: unknown): unknown {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  if (/_id$/.test(name)) return String(value);
  return NUMBERS.test(name) && value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
}

const renamed = (given: Facts, names: Names): Facts => Object.fromEntries(Object.entries(names).map(([theirs, ours]) => [ours, valueOf(ours, given[theirs])]));

/** The events of ours that one of theirs is; none where it is nothing that we know. */
export function translate(event: unknown, given: Facts): [event: string, properties: Facts][] {
  if (typeof event !== "string" || !Object.hasOwn(RULES, event)) return [];
  const [name, names, how] = RULES[event]!;
  const facts = renamed(given, names);
  const items = (Array.isArray(given.items) ? given.items : []).filter((item) => item && typeof item === "object").slice(0, MOST_ITEMS);
  const products = items.map((item: Facts) => renamed(item, ITEM));
  if (how === "each") return products.map((product) => [name, { ...facts, ...product }]);
  if (how === "first") return products.slice(0, 1).map((product) => [name, { ...facts, ...product }]);
  return [[name, how === "all" ? { ...facts, products } : facts]];
}
