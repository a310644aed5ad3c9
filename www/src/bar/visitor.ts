/** Who the page is shown to: a persona, or single values. */
import { asText, ofPersona, readOverrides, sameOverrides, type Overrides } from "./address.ts";
import { h } from "../element.ts";
import { visitAs } from "./session.ts";
import type { Personas } from "./source.ts";

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
/** Paths that a field of their own sets; all others are listed one by one. */
const FIELDS = ["geo.country", "device.type", "language.tag", "language.primary", "language.accepted", "source.channel", "source.name"];

type Context = Readonly<Record<string, unknown>>;

/** A visitor at another time; one who brings a time of their own stays there. */
function at(time: string | undefined, overrides: Overrides): Overrides {
  return time === undefined || overrides.has("now") ? overrides : new Map([...overrides, ["now", time]]);
}

/** Buttons for the saved visitors of the manifest. Who travels in time stays in it, but for "Yourself". */
export function personaChoice(personas: Personas): HTMLElement {
  const current = readOverrides(location.href);
  const all = Object.entries(personas).map(([name, values]) => [name, ofPersona(values)] as const);
  const isOwn = all.some(([, overrides]) => overrides.has("now") && sameOverrides(current, overrides));
  const time = isOwn ? undefined : current.get("now");
  const chip = (name: string, overrides: Overrides, now = overrides): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-pressed": String(sameOverrides(current, now)),
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
      chip("Yourself", new Map(), at(time, new Map())),
      ...all.map(([name, overrides]) => chip(name, at(time, overrides))),
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

  const { now, ...rest } = Object.fromEntries(current);
  const others = new Map(Object.entries(rest).filter(([path]) => !FIELDS.includes(path)));
  const form = h("form", {
    onsubmit: (event) => {
      event.preventDefault();
      visitAs(chosen(new FormData(form)));
    },
  });

  function chosen(data: FormData): Map<string, string> {
    const text = (name: string): string => String(data.get(name) ?? "").trim();
    const overrides = new Map(others);
    if (now !== undefined) overrides.set("now", now);
    for (const path of ["geo.country", "device.type", "source.channel", "source.name"]) if (text(path)) overrides.set(path, text(path));
    const language = text("language.tag");
    if (language) {
      overrides.set("language.tag", language);
      overrides.set("language.primary", language.split("-", 1)[0] ?? "");
      overrides.set("language.accepted", language);
    }
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
