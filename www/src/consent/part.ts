/** What the two elements have in common: a shadow root with our style, and the words of their language. */
import { h } from "../element.ts";
import type { Purpose } from "../types.ts";
import { isBarred, type Known } from "./host.ts";
import { STYLE } from "./style.ts";
import { speechFor, type Speech } from "./words.ts";

const sheets = new Map<string, CSSStyleSheet>();

/** A sheet of this style, made once. Unlike style elements, no content security policy refuses it. */
function sheetOf(style: string): CSSStyleSheet {
  let sheet = sheets.get(style);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    sheets.set(style, sheet);
  }
  return sheet;
}

/** The root of an element, in its language. What is in it can be styled from outside by `::part()` and the variables of style.ts. */
export function rootOf(host: HTMLElement, ...styles: readonly string[]): { root: ShadowRoot; speech: Speech } {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [STYLE, ...styles].map(sheetOf);
  return { root, speech: speechFor(host) };
}

/** A button; `part` is also its class. */
export function button(part: string, text: string, onclick: () => void, more: Record<string, string> = {}): HTMLButtonElement {
  return h("button", { type: "button", class: part, part: `button ${part}`, onclick, ...more }, text);
}

/** A link to the privacy policy, where the site has one. */
export const policyLink = ({ notice }: Known, speech: Speech): HTMLElement | undefined =>
  notice.policy ? h("a", { href: notice.policy, part: "link" }, speech.say("policy")) : undefined;

/** A switch with its name and what it is about. */
export function toggle(
  { title, text, note }: { title: string; text?: string; note?: string | undefined },
  input: Record<string, string | boolean | ((event: Event) => void) | undefined>,
): { row: HTMLElement; box: HTMLInputElement } {
  const id = `about-${++made}`;
  const box = h("input", { type: "checkbox", role: "switch", part: "switch", ...input, ...((text || note) && { "aria-describedby": id }) });
  const row = h(
    "div",
    { class: "row", part: "row" },
    h("label", {}, h("span", { class: "name" }, title), box),
    !!(text || note) && h("div", { id, class: "soft", part: "about" }, !!text && h("p", {}, text), !!note && h("p", {}, note)),
  );
  return { row, box };
}

let made = 0;

/** A switch for each purpose. `isOn` says how each stands at first. */
export function purposeSwitches(
  known: Known,
  speech: Speech,
  isOn: (purpose: Purpose) => boolean,
  changed?: () => void,
): { rows: HTMLElement[]; granted(): Purpose[]; show(isOn: (purpose: Purpose) => boolean): void } {
  const all = known.notice.purposes.map(({ name, title, text, keep_days: keep }) => {
    const [plainTitle, plainText] = speech.purpose(name);
    const barred = isBarred(name, known.status);
    const note = barred ? speech.say("refusedByBrowser") : keep ? speech.say("kept", speech.days(keep)) : undefined;
    const wording = { title: speech.of(title) || plainTitle, text: speech.of(text) || plainText, note };
    return { name, ...toggle(wording, { name, disabled: barred, checked: !barred && isOn(name), onchange: changed && (() => changed()) }) };
  });
  return {
    rows: all.map(({ row }) => row),
    granted: () => all.filter(({ box }) => box.checked).map(({ name }) => name),
    show(isOn) {
      for (const { name, box } of all) box.checked = !isBarred(name, known.status) && isOn(name);
    },
  };
}

/** What visitors are told of what their browser asks for. */
export function signalWords({ status, notice }: Known, speech: Speech): string | undefined {
  if (notice.purposes.some(({ name }) => isBarred(name, status))) return speech.say("gpc");
  return status.signals?.dnt && !status.by && notice.mode === "opt-out" ? speech.say("dnt") : undefined;
}
