/** Time to travel: the instant that the page is decided at, shown and chosen by the visitor's clock. */
import { h } from "../element.ts";
import { offsetOf, zoneOffsets } from "../zone.ts";
import { readOverrides } from "./address.ts";
import { visitAs } from "./session.ts";

const HOUR = 3_600_000;
const STEPS: readonly (readonly [label: string, by: number])[] = [
  ["\u2212 1 day", -24 * HOUR],
  ["+ 1 hour", HOUR],
  ["+ 1 day", 24 * HOUR],
  ["+ 1 week", 7 * 24 * HOUR],
];

/** The zone of a context, or the looker's own where there is none. */
export function zoneOf(context: Readonly<Record<string, unknown>>): string {
  const zone = context["geo.timezone"];
  const isKnown = typeof zone === "string" && zoneOffsets(zone, 0).length > 0;
  return isKnown ? zone : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const offset = (zone: string, at: number): number => (offsetOf(zoneOffsets(zone, at), at) ?? 0) * 1000;

/** An instant as an input of that zone's clock has it. */
export function clockTime(at: number, zone: string): string {
  return new Date(at + offset(zone, at)).toISOString().slice(0, 16);
}

/** The instant at which that zone's clock shows this; NaN where it is no time. */
export function instantOf(text: string, zone: string): number {
  const wall = Date.parse(`${text}Z`);
  // The offset is that of the instant, which is only known by it: on the days that clocks change the second look is right.
  return wall - offset(zone, wall - offset(zone, wall));
}

/** An instant in words. */
export function timeWords(at: number, zone: string, weekday?: "short"): string {
  return new Intl.DateTimeFormat("en-GB", { weekday, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: zone }).format(at);
}

/** The instant that the address of this page asks for; `undefined` where it is now. */
export function travelledTo(): number | undefined {
  const text = readOverrides(location.href).get("now");
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? undefined : at;
}

/** Opens the page at another instant, or now, as the same visitor. */
export function travel(at: number | undefined): void {
  const overrides = readOverrides(location.href);
  if (at === undefined) overrides.delete("now");
  else overrides.set("now", new Date(at).toISOString().replace(".000Z", "Z"));
  visitAs(overrides);
}

/** What is to be seen all the time while another instant is looked at. */
export function travelNote(at: number, zone: string): HTMLElement {
  return h(
    "div",
    { class: "travel", role: "note", "aria-label": "Time travel" },
    h("span", {}, "The page is shown as of ", h("strong", {}, timeWords(at, zone, "short")), ` (${zone}).`),
    h("button", { type: "button", class: "plain", onclick: () => travel(undefined) }, "Back to now"),
  );
}

/** What the section of time is about. */
export interface Moment {
  /** The instant that decided. */
  readonly now: number;
  readonly zone: string;
  /** When time alone changes what is decided; `undefined` where nobody says that it does. */
  readonly until: number | undefined;
}

/** The section: another date and time, steps, and the next change. */
export function timeSection({ now, zone, until }: Moment): HTMLElement {
  const input = h("input", { name: "now", type: "datetime-local", value: clockTime(now, zone), required: true });
  const form = h(
    "form",
    {
      class: "time",
      onsubmit: (event) => {
        event.preventDefault();
        const at = instantOf(input.value, zone);
        if (!Number.isNaN(at)) travel(at);
      },
    },
    h("label", { class: "field" }, `Date and time (${zone})`, input),
    h("button", { class: "primary" }, "Travel"),
  );
  const step = ([label, by]: (typeof STEPS)[number]): HTMLElement => h("button", { type: "button", class: "chip", onclick: () => travel(now + by) }, label);
  const next = until !== undefined && h("button", { type: "button", class: "chip", onclick: () => travel(until) }, `Next change: ${timeWords(until, zone, "short")}`);
  // On a phone the slots come below, and are what most people look for.
  const open = travelledTo() !== undefined || matchMedia("(min-width: 721px)").matches;
  return h("details", { open }, h("summary", {}, "Time to travel"), form, h("div", { class: "chips" }, ...STEPS.map(step), next));
}
