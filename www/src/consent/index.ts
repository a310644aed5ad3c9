/**
 * The consent chunk: `<idoine-consent>`, the banner, and `<idoine-preferences>`, the preference centre. Loaded when somebody is to be asked, or
 * a page has one of them.
 */
import { ConsentBanner } from "./banner.ts";
import { PreferenceCentre } from "./centre.ts";
export { languages } from "./words.ts";

const BANNER = "idoine-consent";
const CENTRE = "idoine-preferences";

customElements.get(BANNER) ?? customElements.define(BANNER, ConsentBanner);
customElements.get(CENTRE) ?? customElements.define(CENTRE, PreferenceCentre);

/** Has who has not chosen yet asked, if the page asks: at the place of its own banner, else before all else, where the keyboard comes first. */
export function ask(isAsked: boolean): void {
  if (isAsked && !document.querySelector(BANNER)) document.body.prepend(document.createElement(BANNER));
}

/** Opens the preference centre over the page. */
export function show(): void {
  const centre = document.createElement(CENTRE);
  centre.setAttribute("dialog", "");
  document.body.append(centre);
}
