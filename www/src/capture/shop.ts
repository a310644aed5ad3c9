/** What shops capture: a chunk of its own, for sites that switch it on. */
export { data_layer } from "./data-layer.ts";
export { ecommerce } from "./ecommerce.ts";
