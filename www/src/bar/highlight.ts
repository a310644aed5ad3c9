/** Frames around a slot's elements in the page, drawn over it: the page itself is not touched. */
import { h } from "../element.ts";

export interface Highlight {
  /** Frames what the selector finds. Tells whether anything is visible. */
  show(selector: string, name: string): boolean;
  clear(): void;
}

/** Frames drawn into `layer`. They follow when the page scrolls. */
export function createHighlight(layer: HTMLElement): Highlight {
  let marks: { readonly element: Element; readonly mark: HTMLElement }[] = [];

  function place(): void {
    for (const { element, mark } of marks) {
      const { left, top, width, height } = element.getBoundingClientRect();
      mark.hidden = !width && !height;
      mark.classList.toggle("inside", top < 24);
      Object.assign(mark.style, {
        left: `${left - 4}px`,
        top: `${top - 4}px`,
        width: `${width + 8}px`,
        height: `${height + 8}px`,
      });
    }
  }

  function clear(): void {
    for (const { mark } of marks) mark.remove();
    marks = [];
    removeEventListener("scroll", place, true);
    removeEventListener("resize", place);
  }

  return {
    clear,
    show(selector, name) {
      clear();
      try {
        marks = [...document.querySelectorAll(selector)].map((element) => ({
          element,
          mark: h("div", { class: "mark" }, h("span", {}, name)),
        }));
      } catch {
        return false;
      }
      layer.append(...marks.map(({ mark }) => mark));
      addEventListener("scroll", place, true);
      addEventListener("resize", place);
      place();
      return marks.some(({ mark }) => !mark.hidden);
    },
  };
}
