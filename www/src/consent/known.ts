/** What is known of the visitor: where it came from, why it is asked, what it changes; to correct and to remove. */
import type { NoticedTrait } from "../types.ts";
import type { Desk } from "./centre.ts";
import { button, h } from "./consent.js";
import { inputFor, shown, titleOf, typed, words } from "./input.ts";

/** What `POST /_idoine/export` tells, as far as it is shown. */
export interface Held {
  readonly traits?: readonly HeldTrait[];
  /** What was learned, as pages read it: by path. */
  readonly facts?: { readonly readings?: Readonly<Record<string, string>> } | null;
  readonly audiences?: readonly (string | { readonly name: string })[];
}

interface HeldTrait {
  readonly name: string;
  readonly value: unknown;
  readonly source?: string;
  readonly at?: string;
  /** Whether it is the one that counts, of those of several sources. */
  readonly counts?: boolean;
}

/** The value of a trait that counts. */
export function heldOf({ held }: Desk, { name, type }: NoticedTrait): HeldTrait | undefined {
  const all = held?.traits?.filter((one) => one.name === name) ?? [];
  const found = all.find(({ counts }) => counts) ?? all[0];
  return found && { ...found, value: typed(found.value, type) };
}

/** Everything that is known, and what may come to be. */
export function knownSection(desk: Desk): HTMLElement {
  const { speech, known } = desk;
  const { say } = speech;
  const traits = known.notice.traits ?? [];
  // What is held is shown, also where the site asks for it no more.
  const names = [...new Set([...traits.map(({ name }) => name), ...(desk.held?.traits ?? []).map(({ name }) => name)])];
  const all = names.map((name): NoticedTrait => traits.find((one) => one.name === name) ?? { name, type: "" });
  const here = all.filter((trait) => heldOf(desk, trait));
  const rest = all.filter((trait) => !heldOf(desk, trait));
  const groups = (desk.held?.audiences ?? []).map((one) => words(typeof one === "string" ? one : one.name));
  const learned = learnedRows(desk);
  const heading = Object.assign(desk.heading(say("known")), { id: "known" });
  return h(
    "section",
    { part: "section", "aria-labelledby": "known" },
    heading,
    here.length + learned.length > 0 && h("ul", { class: "rows" }, ...here.map((trait) => item(desk, trait, heading)), ...learned),
    !here.length && !learned.length && !groups.length && h("p", {}, say(known.status.granted.length ? "nothing" : "closed")),
    groups.length > 0 && h("p", { class: "soft" }, `${say("groups")} ${groups.join(", ")}`),
    rest.length > 0 &&
      h("details", {}, h("summary", {}, say("more")), h("ul", { class: "rows" }, ...rest.map((trait) => h("li", { class: "row" }, h("span", { class: "name" }, titleOf(trait, speech)), ...reasons(desk, trait))))),
  );
}

/** What was learned of what the visitor did, as far as pages read it. A count of nothing is nothing that is known. */
function learnedRows(desk: Desk): HTMLElement[] {
  const values = desk.held?.facts?.readings ?? {};
  const known = (desk.known.notice.readings ?? []).filter(({ path }) => !["", "0", "false"].includes(values[path] ?? ""));
  const valueOf = (path: string): string => (values[path] === "true" ? desk.speech.say("yes") : words(values[path]!));
  return known.map(({ path, changes = [] }) => row(calledBy(path), valueOf(path), desk.speech.source("browser"), ...reasons(desk, { changes })));
}

/** What the path of something learned is about: what stands in its quotes, but for times; else its own words. */
function calledBy(path: string): string {
  const quoted = [...path.matchAll(/'([^']*)'/g)].map(([, text]) => text!).filter((text) => !/^\d+[smhd]$/.test(text));
  return quoted.map(words).join(" · ") || words(path.replace("profile.", "").replaceAll(".", " "));
}

/** Something that is known: what it is, its value, where it came from. */
function row(title: string, value: string, came: string, ...more: readonly (HTMLElement | false | undefined)[]): HTMLElement {
  return h(
    "li",
    { class: "row", part: "row" },
    h("div", { class: "pair" }, h("span", { class: "name" }, title), h("span", { class: "value", part: "value" }, value)),
    !!came && h("p", { class: "soft" }, came),
    ...more,
  );
}

/** Why a trait is asked, and what it changes. */
function reasons({ speech }: Desk, { why, changes = [] }: Pick<NoticedTrait, "why" | "changes">): (HTMLElement | false)[] {
  const reason = speech.of(why);
  const because = [...new Set(changes.map((change) => speech.of(change.because)).filter(Boolean))];
  const line = (label: string, text: string): HTMLElement => h("p", { class: "soft" }, h("b", {}, label), ` ${text}`);
  return [!!reason && line(speech.say("why"), reason), because.length > 0 && line(speech.say("changes"), because.join(" "))];
}

function item(desk: Desk, trait: NoticedTrait, heading: HTMLElement): HTMLElement {
  const { speech } = desk;
  const { say } = speech;
  const { value, source, at } = heldOf(desk, trait)!;
  const title = titleOf(trait, speech);
  const came = [source && speech.source(source), at && speech.date(at)].filter(Boolean).join(" · ");
  const actions = h("div", { class: "buttons small" });
  const place = h("div", {});

  const leave = (): void => {
    place.replaceChildren();
    actions.hidden = false;
    correct.focus();
  };
  const save = async (to: unknown): Promise<void> => {
    const root = actions.getRootNode() as ShadowRoot;
    if (!(await desk.correct(trait, to))) return;
    // The list is a new one: the focus goes to what stands where it was.
    (root.querySelector<HTMLElement>(`[data-trait="${CSS.escape(trait.name)}"]`) ?? root.querySelector<HTMLElement>(`#${heading.id}`))?.focus();
  };
  const named = { "data-trait": trait.name, "aria-label": `${say("correct")}: ${title}` };
  const correct = button("correct", say("correct"), () => {
    const { field, read } = inputFor(trait, value, title, speech);
    const form = h(
      "form",
      { class: "edit", onsubmit: (event) => (event.preventDefault(), void save(read())), onkeydown: (event) => void ((event as KeyboardEvent).key === "Escape" && (event.stopPropagation(), event.preventDefault(), leave())) },
      field,
      h("div", { class: "buttons small" }, h("button", { class: "done", part: "button done" }, say("done")), button("cancel", say("cancel"), leave)),
    );
    actions.hidden = true;
    place.replaceChildren(form);
    form.querySelector<HTMLElement>("input, select")?.focus();
  }, named);
  const isEditable = !!trait.editable && desk.corrects;
  if (isEditable) actions.append(correct, button("remove", say("remove"), () => void save(null), { "aria-label": `${say("remove")}: ${title}` }));

  return row(title, shown(value, trait, speech), came, ...reasons(desk, trait), isEditable && actions, place);
}
