/** What is known of the visitor: what is stored of them, as far as their own browser is told it, and what the request says. */
import { h } from "../element.ts";
import { asText, readOverrides } from "./address.ts";
import type { Explained } from "./clauses.ts";
import type { Explanation, Source, Stored } from "./source.ts";
import type { Steps } from "./steps.ts";
import { timeWords } from "./time.ts";

type Row = readonly [name: string, value: string];

/** What is stored, by what it is: the beginning of its path, and how its text reads. */
const KINDS: readonly { readonly title: string; readonly path: RegExp; readonly words?: (text: string, name: string, report: Told) => string }[] = [
  { title: "Sticky assignments", path: /^assignment\./, words: assigned },
  { title: "Shown so far, as caps count it", path: /^seen(?:\.|_group\.|_site$)/, words: seen },
  { title: "Counted of events", path: /^profile\.(?:count|sum|first|last|days_since|distinct|average)\w*\(/ },
  { title: "Traits and what was learned", path: /^profile\./ },
  { title: "Visits", path: /^visitor\./, words: visit },
  { title: "Other", path: /./ },
];

/** What the texts are read beside. */
interface Told {
  readonly zone: string;
  readonly experiences: readonly Explained[];
}

function assigned(text: string): string {
  const levels = text.split(",");
  return levels.length === 1 ? `variant ${text}` : `variants ${levels.join(", ")}, by factor`;
}

function seen(text: string, path: string, { zone, experiences }: Told): string {
  const [session, day, week, total, last = ""] = text.split(",");
  const at = instant(last);
  const shown = `${session} in the session, ${day} that day, ${week} that week, ${total} in all${at === undefined ? "" : `, last ${timeWords(at, zone)}`}`;
  const explained = experiences.find(({ experience, reason }) => reason === "cap" && path === `seen.${experience}`);
  const cap = explained?.step as Steps["cap"] | undefined;
  return cap === undefined ? shown : `${shown}; at most ${cap.limit}`;
}

function visit(text: string, path: string, { zone }: Told): string {
  const at = path === "visitor.session_start" ? instant(text) : undefined;
  return at === undefined ? text : timeWords(at, zone);
}

/** An instant as it is stored: epoch milliseconds, or RFC 3339. */
function instant(text: string): number | undefined {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

function list(title: string, rows: readonly Row[]): HTMLElement {
  return h(
    "section",
    { "aria-label": title },
    h("h4", {}, title),
    h("dl", {}, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  );
}

/** What stands in place of a list: why there is none. */
function whyNothing(stored: Stored | undefined, context: Explanation["context"]): string {
  const overrides = [...readOverrides(location.href).keys()];
  if (overrides.some((path) => /^(?:profile|visitor)\./.test(path))) return "You look as somebody else: nothing that is stored of you takes part.";
  if (context["consent.personalization"] !== true) return "Nothing that is stored takes part: the visitor did not agree to personalisation.";
  return stored === undefined ? "What is stored can't be read at the moment." : "Nothing is stored of this visitor yet that pages are decided with.";
}

/** The section. `stored` is undefined where it could not be read. */
export function profileSection(source: Source, stored: Stored | undefined, { context, experiences }: Explanation, zone: string): HTMLElement {
  const told: Told = { zone, experiences };
  const groups = new Map(KINDS.map((kind) => [kind, [] as Row[]]));
  for (const [path, text] of Object.entries(stored?.profile ?? {})) {
    const kind = KINDS.find((one) => one.path.test(path))!;
    groups.get(kind)!.push([path, kind.words?.(text, path, told) ?? text]);
  }
  const lists = [...groups].filter(([, rows]) => rows.length > 0).map(([{ title }, rows]) => list(title, rows));
  const who = !source.profile
    ? "This page decides for itself and reads no profile."
    : stored?.verified
      ? "A user who is logged in: what is known of them on all their devices takes part."
      : "This browser. Nobody is logged in, so personal traits are not told here.";
  return h(
    "section",
    { class: "profile", "aria-label": "Profile" },
    h("h3", {}, "Profile"),
    h("p", { class: "soft" }, who),
    ...lists,
    source.profile && lists.length === 0 && h("p", {}, whyNothing(stored, context)),
    source.held && heldButton(source.held),
    contextList(context),
  );
}

/** All that is held of the visitor, once it is asked for. */
function heldButton(held: NonNullable<Source["held"]>): HTMLElement {
  const place = h("div", { "aria-live": "polite" });
  const button = h(
    "button",
    {
      type: "button",
      class: "plain",
      onclick: async () => {
        place.replaceChildren(h("p", { class: "soft" }, "Loading\u2026"));
        try {
          const { facts, traits, audiences, consents, events, waiting } = await held();
          const shown = { facts, traits, audiences, consents, events, waiting };
          place.replaceChildren(h("div", { class: "tree" }, ...Object.entries(shown).map(([name, value]) => tree(name, value))));
        } catch (cause) {
          place.replaceChildren(h("p", { class: "alert" }, whyNotHeld(String(cause))));
        }
      },
    },
    "Show all that is held",
  );
  return h("div", { class: "held" }, button, place);
}

function whyNotHeld(cause: string): string {
  if (cause.includes("401")) return "A user is logged in: all that is held of them is told to who proves anew to be them, in the preference centre.";
  if (cause.includes("404")) return "Nothing is held of this browser's visitor, or this preview is by a link, which hands out nothing.";
  if (cause.includes("501")) return "This Worker keeps no profiles.";
  return `It can't be had at the moment. ${cause}`;
}

const isEmpty = (value: unknown): boolean => value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);

/** A value of JSON that opens part by part. */
function tree(name: string, value: unknown): HTMLElement {
  if (isEmpty(value)) return h("p", { class: "leaf" }, h("span", { class: "soft" }, `${name}: `), "none");
  if (typeof value !== "object") return h("p", { class: "leaf" }, h("span", { class: "soft" }, `${name}: `), leaf(name, value));
  const parts = Object.entries(value as object);
  const details: HTMLDetailsElement = h(
    "details",
    {
      // Parts are made when they are looked at: there may be thousands.
      ontoggle: () => {
        if (details.open && details.childElementCount === 1) details.append(...parts.map(([part, inside]) => tree(part, inside)));
      },
    },
    h("summary", {}, `${name} (${parts.length})`),
  );
  return details;
}

/** A value; instants are told by the clock. */
function leaf(name: string, value: unknown): string {
  const isInstant = typeof value === "number" && value > 1e12 && value < 1e13 && /^(?:at|now|first|last|first_seen|last_seen|started|last_event|timestamp|receivedAt|updated)$/.test(name);
  return isInstant ? new Date(value).toISOString() : String(value);
}

/** Everything that decisions may read of the visitor and the request. */
export function contextList(context: Readonly<Record<string, unknown>>): HTMLElement {
  const entries = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = (value: unknown): string => (typeof value === "object" && value !== null && !Array.isArray(value) ? JSON.stringify(value) : asText(value));
  return h(
    "details",
    {},
    h("summary", {}, `What is known of this visitor (${entries.length} values)`),
    h("dl", { class: "context" }, ...entries.flatMap(([path, value]) => [h("dt", {}, path), h("dd", {}, text(value))])),
  );
}
