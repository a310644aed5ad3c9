/** The left side: who the page is shown to, and what that visitor has agreed to. */
import type { ConsentStatus, Purpose } from "../types.ts";
import { asText, ofPersona, readOverrides, sameOverrides, withOverrides, type Overrides } from "./address.ts";
import { h } from "../element.ts";

const DEVICES = ["desktop", "mobile", "tablet", "tv", "console", "wearable", "bot"];
const CHANNELS = [
  "Direct",
  "Organic Search",
  "Paid Search",
  "Organic Social",
  "Paid Social",
  "Organic Video",
  "Paid Video",
  "Organic Shopping",
  "Paid Shopping",
  "Display",
  "Email",
  "Affiliates",
  "Referral",
  "SMS",
  "AI Assistant",
];
const LANGUAGES = ["fr-FR", "en-GB", "en-US", "de-DE", "es-ES", "it-IT", "nl-NL", "pt-PT", "pl-PL", "ja-JP"];
const PURPOSES: readonly [Purpose, string][] = [
  ["personalization", "Personalisation"],
  ["analytics", "Analytics"],
  ["marketing", "Marketing"],
];
/** Paths that a field of their own sets; all others are listed one by one. */
const FIELDS = ["geo.country", "device.type", "language.tag", "language.primary", "language.accepted", "source.channel", "source.name", "now"];

type Context = Readonly<Record<string, unknown>>;
export type Personas = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Opens this page as another visitor would see it. */
function visitAs(overrides: Overrides): void {
  const address = withOverrides(location.href, overrides);
  if (address === location.href) location.reload();
  else location.assign(address);
}

/** Buttons for the saved visitors of the manifest. */
export function personaChoice(personas: Personas): HTMLElement {
  const current = readOverrides(location.href);
  const chip = (name: string, overrides: Overrides): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-pressed": String(sameOverrides(current, overrides)),
        onclick: () => visitAs(overrides),
      },
      name,
    );
  return h(
    "section",
    { "aria-label": "Personas" },
    h("h3", {}, "See the page as"),
    h(
      "div",
      { class: "chips personas" },
      chip("Yourself", new Map()),
      ...Object.entries(personas).map(([name, values]) => chip(name, ofPersona(values))),
    ),
  );
}

/** Codes of the world's countries with their names, from the browser's own tables. */
function countries(): [code: string, name: string][] {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const all: [string, string][] = [];
  for (const first of letters) {
    for (const second of letters) {
      const name = names.of(first + second);
      if (name) all.push([first + second, name]);
    }
  }
  return all;
}

function options(id: string, values: readonly (readonly [value: string, label?: string])[]): HTMLElement {
  return h("datalist", { id }, ...values.map(([value, label]) => h("option", { value }, label)));
}

/** A time for an input of the visitor's own clock. */
function localTime(text: string | undefined): string {
  const time = new Date(text ?? "");
  if (Number.isNaN(time.getTime())) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Fields for single values. Empty fields leave a value as it is. */
export function valueForm(context: Context): HTMLElement {
  const current = readOverrides(location.href);
  const known = (path: string): string => asText(context[path]) || "not known";

  const field = (label: string, control: HTMLElement, wide = false): HTMLElement =>
    h("label", { class: wide ? "field wide" : "field" }, label, control);
  const input = (name: string, more: Record<string, string | undefined> = {}): HTMLInputElement =>
    h("input", { name, autocomplete: "off", placeholder: known(name), value: current.get(name), ...more });
  const select = (name: string, values: readonly string[]): HTMLElement =>
    h(
      "select",
      { name },
      h("option", { value: "" }, current.has(name) ? "as it is" : `${known(name)} (as it is)`),
      ...values.map((value) => h("option", { value, selected: current.get(name) === value }, value)),
    );

  const others = new Map([...current].filter(([path]) => !FIELDS.includes(path)));
  const form = h("form", {
    onsubmit: (event) => {
      event.preventDefault();
      visitAs(chosen(new FormData(form)));
    },
  });

  function chosen(data: FormData): Map<string, string> {
    const text = (name: string): string => String(data.get(name) ?? "").trim();
    const overrides = new Map(others);
    for (const path of ["geo.country", "device.type", "source.channel", "source.name"]) if (text(path)) overrides.set(path, text(path));
    const language = text("language.tag");
    if (language) {
      overrides.set("language.tag", language);
      overrides.set("language.primary", language.split("-", 1)[0] ?? "");
      overrides.set("language.accepted", language);
    }
    const time = new Date(text("now"));
    if (!Number.isNaN(time.getTime())) overrides.set("now", time.toISOString().replace(".000Z", "Z"));
    if (text("path")) overrides.set(text("path"), text("value"));
    return overrides;
  }

  const other = ([path, value]: [string, string]): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-label": `Remove ${path}`,
        onclick: (event) => {
          others.delete(path);
          (event.currentTarget as HTMLElement).remove();
        },
      },
      `${path} = ${value || "absent"} \u00d7`,
    );

  form.append(
    options("countries", countries()),
    options("languages", LANGUAGES.map((tag) => [tag] as const)),
    options("paths", Object.keys(context).map((path) => [path] as const)),
    h(
      "div",
      { class: "fields" },
      field("Country", input("geo.country", { list: "countries" })),
      field("Device", select("device.type", DEVICES)),
      field("Language", input("language.tag", { list: "languages" })),
      field("Channel", select("source.channel", CHANNELS)),
      field("Source", input("source.name")),
      field("Date and time (your clock)", h("input", { name: "now", type: "datetime-local", value: localTime(current.get("now")) })),
      field("Another value", h("input", { name: "path", list: "paths", placeholder: "geo.region", autocomplete: "off" })),
      field("is", h("input", { name: "value", placeholder: "empty: absent", autocomplete: "off" })),
      others.size > 0 && h("div", { class: "chips wide" }, ...[...others].map(other)),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { class: "primary" }, "Show the page"),
      h("button", { type: "button", class: "plain", onclick: () => visitAs(new Map()) }, "Reset"),
    ),
  );
  // On a phone the slots come below, and are what most people look for.
  const open = matchMedia("(min-width: 721px)").matches;
  return h("details", { open }, h("summary", {}, "Or change single values"), form);
}

/** Switches for what this browser has agreed to; a change reloads the page, as slots change at the next navigation. */
export function consentSwitches(status: ConsentStatus, save: (granted: Purpose[]) => Promise<void>): HTMLElement {
  const boxes = PURPOSES.map(([purpose, label]) => {
    const box = h("input", {
      type: "checkbox",
      checked: status.granted.includes(purpose),
      onchange: () => void save(PURPOSES.filter((_, index) => boxes[index]?.box.checked).map(([name]) => name)),
    });
    return { box, row: h("label", { class: "switch" }, box, label) };
  });
  return h(
    "section",
    { "aria-label": "Consent" },
    h("h3", {}, status.decided ? "Consent" : "Consent (not asked yet)"),
    ...boxes.map(({ row }) => row),
  );
}
