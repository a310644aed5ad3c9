/**
 * The consent chunk: `<idoine-consent>`, the banner. Loaded when somebody is to be asked, or a page has one of our elements. What the preference
 * centre is made of beside it comes when it is shown (preferences.ts), and finds here what both have.
 */
import type { CentreOptions } from "../types.ts";
import { ConsentBanner } from "./banner.ts";
export { h } from "../element.ts";
export { announce, CHOSEN, choose, keeper, read } from "./host.ts";
export { button, policyLink, purposeSwitches, rootOf, signalWords, toggle } from "./part.ts";
export { languages } from "./words.ts";

const BANNER = "idoine-consent";
const CENTRE = "idoine-preferences";

customElements.get(BANNER) ?? customElements.define(BANNER, ConsentBanner);

const loadCentre = (): Promise<unknown> => import("./preferences.js");

/**
 * Has who has not chosen yet asked, if the page asks: at the place of its own banner, else before all else, where the keyboard comes first. And
 * fills the preference centre of the page, if it has one.
 */
export async function ask(isAsked: unknown): Promise<void> {
  if (isAsked && !document.querySelector(BANNER)) document.body.prepend(document.createElement(BANNER));
  if (document.querySelector(CENTRE)) await loadCentre();
}

/** Opens the preference centre over the page. */
export async function show({ token }: CentreOptions = {}): Promise<void> {
  await loadCentre();
  const centre = Object.assign(document.createElement(CENTRE), { token });
  centre.setAttribute("dialog", "");
  document.body.append(centre);
}
