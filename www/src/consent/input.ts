/** The value of a trait, shown to a person and asked of one: by its type, and by the values that it may have. */
import type { NoticedTrait } from "../types.ts";
import { h } from "./consent.js";
import type { Speech } from "./words.ts";

/** A name made of a programmer's one. */
export function words(name: string): string {
  const text = name.replace(/[_-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a trait is called. */
export const titleOf = ({ name, title }: NoticedTrait, speech: Speech): string => speech.of(title) || words(name);

/** What a value of a trait's enum is called. */
const called = (value: string, { labels }: NoticedTrait, speech: Speech): string => speech.of(labels?.[value]) || words(value);

/** A value as what it is: some are kept as texts, lists with commas. */
export function typed(value: unknown, type: string): unknown {
  if (typeof value !== "string") return value;
  if (type === "bool") return value === "true";
  return type === "strings" ? value.split(",") : value;
}

/** A value in words. */
export function shown(value: unknown, trait: NoticedTrait, speech: Speech): string {
  if (Array.isArray(value)) return value.map((one) => shown(one, trait, speech)).join(", ");
  if (typeof value === "boolean") return speech.say(value ? "yes" : "no");
  if (typeof value === "number") return value.toLocaleString(speech.tag, { useGrouping: false });
  if (trait.type === "timestamp") return speech.date(String(value));
  if (typeof value === "object") return JSON.stringify(value);
  return trait.values ? called(String(value), trait, speech) : String(value);
}

/** A choice of one or several values. */
export function boxes(
  kind: "checkbox" | "radio",
  trait: NoticedTrait,
  legend: string,
  chosen: readonly unknown[],
  speech: Speech,
  more: { disabled?: boolean; onchange?: () => void } = {},
): { field: HTMLElement; read(): string[] } {
  const { name, values = [] } = trait;
  const all = values.map((value) => h("input", { type: kind, name, value, part: kind, checked: chosen.includes(value), ...more }));
  const field = h("fieldset", {}, h("legend", { class: "name" }, legend), ...all.map((box, index) => h("label", { class: "option" }, box, h("span", {}, called(values[index]!, trait, speech)))));
  return { field, read: () => all.filter(({ checked }) => checked).map(({ value }) => value) };
}

/** A field for the value of a trait, and what it holds then: `null` when it is empty. */
export function inputFor(trait: NoticedTrait, value: unknown, title: string, speech: Speech): { field: HTMLElement; read(): unknown } {
  const { type, values } = trait;
  const labelled = (control: HTMLElement): HTMLElement => h("label", { class: "field" }, h("span", { class: "sr" }, title), control);
  if (type === "strings" && values) return boxes("checkbox", trait, title, Array.isArray(value) ? value : [], speech);
  if (type === "bool" || values) {
    const options = type === "bool" ? ["true", "false"] : values!;
    const name = (one: string): string => (type === "bool" ? speech.say(one === "true" ? "yes" : "no") : called(one, trait, speech));
    const select = h("select", { part: "input" }, ...options.map((one) => h("option", { value: one, selected: one === String(value) }, name(one))));
    return { field: labelled(select), read: () => (type === "bool" ? select.value === "true" : select.value) };
  }
  const kinds: Record<string, string> = { int: "number", double: "number", timestamp: "date" };
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  const input = h("input", { part: "input", type: kinds[type] ?? "text", value: type === "timestamp" ? text.slice(0, 10) : text, step: type === "double" && "any", required: type !== "strings" });
  return {
    field: labelled(input),
    read() {
      const given = input.value.trim();
      if (!given) return null;
      if (input.type === "number") return Number(given);
      if (type === "timestamp") return `${given}T00:00:00Z`;
      return type === "strings" ? given.split(",").map((one) => one.trim()).filter(Boolean) : given;
    },
  };
}
