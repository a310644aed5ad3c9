/**
 * `<idoine-slot name="hero">baseline</idoine-slot>`: a slot for pages and frameworks of any kind. The element shows what was decided, as edits in
 * pages are shown: with the focus left where it is, fragments brought, and the baseline back when nothing is decided any more.
 */
import { createRenderer } from "../../src/dom.ts";
import { IdoineError } from "../../src/errors.ts";
import type { Idoine } from "../../src/types.ts";

export { IdoineError, type ErrorCode } from "../../src/errors.ts";

/** Defines the element `<idoine-slot>`, which shows what this client decides. Returns a function after which slots show their baselines. */
export function defineSlotElement(client: Idoine, tag = "idoine-slot"): () => void {
  if (typeof customElements === "undefined") throw new IdoineError("element_unsupported", `<${tag}>: there are no custom elements here`);
  if (customElements.get(tag)) throw new IdoineError("element_unsupported", `<${tag}> is defined already: once in a page is enough, or take another name`);
  const show = createRenderer();
  const slots = new Map<HTMLElement, string>();
  let scheduled = false;

  /** Shows all of them: what is in its place already stays as it is. */
  function render(): void {
    scheduled = false;
    const names = new Set(slots.values());
    const edits = client.debug().edits.filter(({ slot, op }) => names.has(slot) && op !== "json");
    show(edits.map((edit) => ({ ...edit, selector: `${tag}[name="${CSS.escape(edit.slot)}"]` })));
  }

  /** Once for all elements that come or go together, before the next paint. */
  function schedule(): void {
    if (!scheduled) queueMicrotask(render);
    scheduled = true;
  }

  customElements.define(
    tag,
    class extends HTMLElement {
      static observedAttributes = ["name"];
      #observed: (() => void) | undefined;

      connectedCallback(): void {
        this.#follow(this.getAttribute("name"));
      }

      disconnectedCallback(): void {
        this.#follow(null);
      }

      attributeChangedCallback(): void {
        if (this.isConnected) this.#follow(this.getAttribute("name"));
      }

      #follow(name: string | null): void {
        // The parser tells of the attribute and of the element, in this order.
        if ((slots.get(this) ?? null) === name) return;
        this.#observed?.();
        this.#observed = undefined;
        if (name === null) slots.delete(this);
        else {
          slots.set(this, name);
          this.#observed = client.observe(name, this);
        }
        schedule();
      }
    },
  );
  const end = client.subscribe(schedule);
  return () => {
    end();
    slots.clear();
    render();
  };
}
