/** Edits of attributes as the properties that React takes. */
import type { Edit } from "../../src/types.ts";

type Properties = Readonly<Record<string, unknown>>;

/** What React calls otherwise than HTML does. */
const NAMES: Readonly<Record<string, string>> = {
  class: "className",
  for: "htmlFor",
  tabindex: "tabIndex",
  readonly: "readOnly",
  maxlength: "maxLength",
  colspan: "colSpan",
  rowspan: "rowSpan",
  srcset: "srcSet",
  crossorigin: "crossOrigin",
  datetime: "dateTime",
  autocomplete: "autoComplete",
  autoplay: "autoPlay",
  playsinline: "playsInline",
  contenteditable: "contentEditable",
  fetchpriority: "fetchPriority",
  inputmode: "inputMode",
  enterkeyhint: "enterKeyHint",
  usemap: "useMap",
  accesskey: "accessKey",
  hreflang: "hrefLang",
  referrerpolicy: "referrerPolicy",
};

/** Attributes whose mere presence counts; React leaves them out where they are empty. */
const PRESENT = /^(allowfullscreen|async|autofocus|autoplay|checked|controls|default|defer|disabled|hidden|inert|loop|multiple|muted|novalidate|open|playsinline|readonly|required|reversed|selected)$/;

/** Declarations of an inline style. A semicolon within quotes or brackets is part of a value. */
function styleOf(text: string): Record<string, string> {
  const style: Record<string, string> = {};
  for (const [declaration] of text.matchAll(/(?:[^;"'(]|"[^"]*"|'[^']*'|\([^)]*\))+/g)) {
    const at = declaration.indexOf(":");
    if (at < 0) continue;
    const name = declaration.slice(0, at).trim();
    const key = name.startsWith("--") ? name : name.toLowerCase().replace(/^-ms-/, "ms-").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    style[key] = declaration.slice(at + 1).trim();
  }
  return style;
}

/** An element's own properties, with what the edits of a slot change of them. */
export function propertiesOf(own: Properties, edits: readonly Edit[]): Properties {
  const properties: Record<string, unknown> = { ...own };
  const classes = (): string[] => String(properties.className ?? "").split(/\s+/).filter(Boolean);
  for (const { op, name = "", value = "" } of edits) {
    const property = NAMES[name] ?? name;
    if (op === "attribute") properties[property] = name === "style" ? styleOf(value) : PRESENT.test(name) && value === "" ? true : value;
    else if (op === "remove_attribute") delete properties[property];
    else if (op === "class_add") properties.className = [...new Set([...classes(), value])].join(" ");
    else if (op === "class_remove") properties.className = classes().filter((one) => one !== value).join(" ") || undefined;
    else if (op === "hide") Object.assign(properties, { hidden: true, style: { ...(properties.style as object), display: "none" } });
  }
  return properties;
}
