// The pages of the demo shop: its home page, and products and collections out of its catalogue. They are the published
// templates with the shop's own data put in, as any shop's server does it. Nothing here knows of personalisation:
// what is special for a visitor is decided and written in later, by the Worker or in the browser. A product's page tells what is done
// in it, and that is all.

import { readFileSync } from "node:fs";

/** One thing the shop sells. */
export interface Product {
  slug: string;
  sku: string;
  name: string;
  category: string;
  price: number;
  was?: number;
  popular?: boolean;
  new?: boolean;
  colour: string;
  text: string;
}

/** The shop's stock, as kept in catalogue.json. */
export interface Catalogue {
  categories: Record<string, { name: string; lead: string }>;
  products: Product[];
}

/** The shop's pages, ready to be asked for by name. Each answers undefined for a name it does not know. */
export interface ShopPages {
  home: string;
  product(slug: string): string | undefined;
  collection(name: string): string | undefined;
  picture(file: string): string | undefined;
}

/** Reads the catalogue that lies beside this file. */
export function readCatalogue(): Catalogue {
  return JSON.parse(readFileSync(new URL("./catalogue.json", import.meta.url), "utf8")) as Catalogue;
}

/**
 * Prepares the pages from the two published templates.
 * Throws when a template is not the one these pages were made for: better at the start than in a visitor's page.
 */
export function shopPages(homeTemplate: string, itemTemplate: string, catalogue: Catalogue): ShopPages {
  const bySlug = new Map(catalogue.products.map((product) => [product.slug, product]));
  const item = withShopLinks(withPrivacyLink(itemTemplate));
  const front = withPrivacyLink(homeTemplate);
  const home = withShopLinks(front);
  return {
    home: front,
    product(slug) {
      const product = bySlug.get(slug);
      return product === undefined ? undefined : productPage(item, product, catalogue);
    },
    collection(name) {
      const isLookbook = name.endsWith(LOOKBOOK);
      const collection = collectionOf(isLookbook ? name.slice(0, -LOOKBOOK.length) : name, catalogue);
      if (collection === undefined) return undefined;
      const page = collectionPage(home, collection);
      return isLookbook ? replaceOnce(page, CARDS_OPEN, LARGE_CARDS_OPEN) : page;
    },
    picture(file) {
      const light = file.endsWith("-light.svg");
      const product = file.endsWith(".svg") ? bySlug.get(file.slice(0, light ? -"-light.svg".length : -".svg".length)) : undefined;
      return product === undefined ? undefined : picture(product, light);
    },
  };
}

interface Collection {
  name: string;
  lead: string;
  products: Product[];
}

/** The four categories, and three collections that any shop has. */
function collectionOf(name: string, catalogue: Catalogue): Collection | undefined {
  const { products, categories } = catalogue;
  if (name === "all") return { name: "All products", lead: "Everything we make, on one page", products };
  if (name === "popular") return { name: "Popular items", lead: "What other people bought this month", products: products.filter((product) => product.popular === true) };
  if (name === "new") return { name: "New arrivals", lead: "Fresh from the workshop", products: products.filter((product) => product.new === true) };
  const category = Object.hasOwn(categories, name) ? categories[name] : undefined;
  if (category === undefined) return undefined;
  return { ...category, products: products.filter((product) => product.category === name) };
}

function productPage(template: string, product: Product, catalogue: Catalogue): string {
  // Others of the same category first, then what sells best elsewhere.
  const related = [
    ...catalogue.products.filter((other) => other.category === product.category && other !== product),
    ...catalogue.products.filter((other) => other.category !== product.category && other.popular === true),
  ].slice(0, 4);
  const price = product.was === undefined
    ? `<span>${money(product.price)}</span>`
    : `<span class="text-decoration-line-through">${money(product.was)}</span>\n                            <span>${money(product.price)}</span>`;
  let page = template;
  page = replaceOnce(page, "<title>Shop Item - Start Bootstrap Template</title>", `<title>${escape(product.name)} - Start Bootstrap</title>`);
  page = replaceOnce(page, '<meta name="description" content="" />', `<meta name="description" content="${escape(product.text)}" />`);
  page = replaceOnce(page, '<img class="card-img-top mb-5 mb-md-0" src="https://dummyimage.com/600x700/dee2e6/6c757d.jpg" alt="..." />',
    `<img class="card-img-top mb-5 mb-md-0" src="/pictures/${product.slug}.svg" style="aspect-ratio: 6 / 7" alt="${escape(product.name)}" />`);
  page = replaceOnce(page, "SKU: BST-498", `SKU: ${escape(product.sku)}`);
  page = replaceOnce(page, "Shop item template</h1>", `${escape(product.name)}</h1>`);
  page = replaceBetween(page, '<div class="fs-5 mb-5">', "</div>", `\n                            ${price}\n                        `);
  page = replaceBetween(page, '<p class="lead">', "</p>", escape(product.text));
  page = replaceOnce(page, "Add to cart\n                            </button>\n                        </div>", `Add to cart\n                            </button>\n                        </div>\n${PRODUCT_LINES}`);
  page = replaceOnce(page, "    </body>", `${told(product)}    </body>`);
  return withCards(page, related);
}

/**
 * What the page tells of what is done in it, as shops tell their tag managers: that a product is looked at, and put into the cart. Where
 * nobody listens, and from those who did not agree, nothing is sent.
 */
function told(product: Product): string {
  const properties = { product_id: product.sku, name: product.name, category: product.category, price: product.price };
  const json = JSON.stringify(properties).replaceAll("<", "\\u003c");
  return `        <script>
            window.idoine = window.idoine || function () { (idoine.q = idoine.q || []).push(arguments); };
            (function (product) {
                idoine("track", "Product Viewed", product);
                document.querySelector(".col-md-6 .d-flex > button").addEventListener("click", function () {
                    var quantity = parseInt(document.getElementById("inputQuantity").value, 10) || 1;
                    idoine("track", "Product Added", Object.assign({ quantity: quantity }, product));
                });
            })(${json});
        </script>
`;
}

/** What a shop says below its button. The price note and the store line are there for those they concern: empty for others. */
const PRODUCT_LINES = `                        <ul class="list-unstyled small text-muted mt-4 mb-0" id="good-to-know">
                            <li id="delivery">Delivered in 3 to 5 working days</li>
                            <li id="store"></li>
                            <li id="price-note"></li>
                        </ul>`;

function collectionPage(template: string, collection: Collection): string {
  let page = template;
  page = replaceOnce(page, "<title>Shop Homepage - Start Bootstrap Template</title>", `<title>${escape(collection.name)} - Start Bootstrap</title>`);
  page = replaceOnce(page, "Shop in style</h1>", `${escape(collection.name)}</h1>`);
  page = replaceOnce(page, "With this shop hompeage template</p>", `${escape(collection.lead)}</p>`);
  return withCards(page, collection.products);
}

/**
 * The way to what is known of a visitor, and to change one's mind: on every page, and the shop's own, so that it is there whatever somebody agreed to
 * and whatever they are shown.
 */
function withPrivacyLink(template: string): string {
  return replaceOnce(template, `${COPYRIGHT}</div>`, `${COPYRIGHT}
                <div class="text-center small mt-2"><a class="text-white" id="privacy-choices" href="/_idoine/preferences">Privacy choices</a></div>
            </div>`);
}

const COPYRIGHT = '<p class="m-0 text-center text-white">Copyright &copy; Your Website 2023</p>';

/** Links that lead somewhere, and the line of announcements below the navigation, on every page of the catalogue. */
function withShopLinks(template: string): string {
  let page = template;
  page = replaceOnce(page, '<a class="navbar-brand" href="#!">', '<a class="navbar-brand" href="/">');
  page = replaceOnce(page, '<a class="nav-link active" aria-current="page" href="#!">Home</a>', '<a class="nav-link" href="/">Home</a>');
  page = replaceOnce(page, 'href="#!">All Products</a>', 'href="/collections/all">All Products</a>');
  page = replaceOnce(page, 'href="#!">Popular Items</a>', 'href="/collections/popular">Popular Items</a>');
  page = replaceOnce(page, 'href="#!">New Arrivals</a>', 'href="/collections/new">New Arrivals</a>');
  page = replaceOnce(page, "        </nav>\n", `        </nav>\n        <p class="bg-light border-top small text-center py-2 mb-0" id="announcement">Free returns within 30 days</p>\n`);
  return page;
}

const CARDS_OPEN = '<div class="row gx-4 gx-lg-5 row-cols-2 row-cols-md-3 row-cols-xl-4 justify-content-center">\n';
/** The end of a collection's name under which it is a lookbook: two to a row, with large pictures. */
const LOOKBOOK = "-lookbook";
const LARGE_CARDS_OPEN = '<div class="row gx-4 gx-lg-5 row-cols-1 row-cols-md-2 justify-content-center">\n';
const CARDS_CLOSE = "                </div>\n            </div>\n        </section>\n        <!-- Footer-->";

function withCards(page: string, products: Product[]): string {
  return replaceBetween(page, CARDS_OPEN, CARDS_CLOSE, products.map(card).join(""));
}

/** One card, in the template's own markup. */
function card(product: Product): string {
  const badge = product.was === undefined ? "" : `
                            <!-- Sale badge-->
                            <div class="badge bg-dark text-white position-absolute" style="top: 0.5rem; right: 0.5rem">Sale</div>`;
  const before = product.was === undefined ? "" : `<span class="text-muted text-decoration-line-through">${money(product.was)}</span>
                                    `;
  return `                    <div class="col mb-5">
                        <div class="card h-100">${badge}
                            <!-- Product image-->
                            <img class="card-img-top" src="/pictures/${product.slug}.svg" style="aspect-ratio: 6 / 7" alt="${escape(product.name)}" />
                            <!-- Product details-->
                            <div class="card-body p-4">
                                <div class="text-center">
                                    <!-- Product name-->
                                    <h5 class="fw-bolder">${escape(product.name)}</h5>
                                    <!-- Product price-->
                                    ${before}${money(product.price)}
                                </div>
                            </div>
                            <!-- Product actions-->
                            <div class="card-footer p-4 pt-0 border-top-0 bg-transparent">
                                <div class="text-center"><a class="btn btn-outline-dark mt-auto" href="/products/${product.slug}">View options</a></div>
                            </div>
                        </div>
                    </div>
`;
}

/** A plain drawn picture of 600 by 700: the shop needs no photographs. The light one leaves out the shading. */
function picture(product: Product, light: boolean): string {
  const name = escape(product.name);
  const shade = light ? "" : `
  <defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#fff" stop-opacity=".35"/><stop offset="1" stop-color="#000" stop-opacity=".25"/></linearGradient></defs>`;
  const over = light ? "" : `
  <rect width="600" height="700" fill="url(#g)"/>
  <circle cx="300" cy="310" r="170" fill="#fff" fill-opacity=".14"/>
  <circle cx="300" cy="310" r="110" fill="#fff" fill-opacity=".14"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 700" width="600" height="700" role="img" aria-label="${name}">${shade}
  <rect width="600" height="700" fill="${product.colour}"/>${over}
  <text x="300" y="600" fill="#fff" font-family="system-ui, sans-serif" font-size="44" font-weight="600" text-anchor="middle">${name}</text>
</svg>
`;
}

function money(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character]!);
}

function replaceOnce(page: string, old: string, by: string): string {
  const at = page.indexOf(old);
  if (at < 0 || page.indexOf(old, at + 1) >= 0) throw new Error(`the shop's template has changed: it must contain once ${JSON.stringify(old)}`);
  return page.slice(0, at) + by + page.slice(at + old.length);
}

function replaceBetween(page: string, open: string, close: string, by: string): string {
  const at = page.indexOf(open);
  const end = page.indexOf(close, at + open.length);
  if (at < 0 || end < 0) throw new Error(`the shop's template has changed: it must contain ${JSON.stringify(open)} and then ${JSON.stringify(close)}`);
  return page.slice(0, at + open.length) + by + page.slice(end);
}
