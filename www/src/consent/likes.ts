/** How the visitor wants to be addressed: topics, how often, and quiet. What they say takes effect at once. */
import type { NoticedTrait } from "../types.ts";
import type { Desk } from "./centre.ts";
import { h, toggle } from "./consent.js";
import { boxes } from "./input.ts";
import { heldOf } from "./known.ts";

/** The section; `undefined` where the site asks for nothing of it. */
export function likesSection(desk: Desk): HTMLElement | undefined {
  const { speech, known } = desk;
  const { say } = speech;
  const { preferences, traits = [] } = known.notice;
  /** The field for what a preference is kept in, made by `make`; there where the site has such a trait. */
  function field(name: string | null | undefined, plain: string, make: (trait: NoticedTrait, title: string, value: unknown, more: { disabled: boolean }) => HTMLElement): HTMLElement | false {
    const trait = traits.find((one) => one.name === name);
    if (!trait) return false;
    const purpose = trait.purpose ?? "personalization";
    // What is said goes into the profile, which there is with personalization alone.
    const missing = [...new Set([purpose, "personalization" as const])].filter((one) => !known.status.granted.includes(one));
    const titles = missing.map((one) => speech.of(known.notice.purposes.find(({ name }) => name === one)?.title) || speech.purpose(one)[0]);
    const made = make(trait, speech.of(trait.title) || plain, heldOf(desk, trait)?.value, { disabled: missing.length > 0 });
    return h("div", { class: "like" }, made, missing.length > 0 && h("p", { class: "note" }, say("needs", titles.join(", "))));
  }

  /** Saves, and keeps the focus at the same place of the section, which is a new one then. */
  async function save(trait: NoticedTrait, value: unknown, input: Element): Promise<void> {
    const root = input.getRootNode() as ShadowRoot;
    const isIn = root.activeElement !== null && section.contains(root.activeElement);
    const at = [...section.querySelectorAll("input")].indexOf(root.activeElement as HTMLInputElement);
    if ((await desk.correct(trait, value)) && isIn) root.querySelectorAll<HTMLElement>("#likes ~ * input")[at]?.focus();
  }

  const fields = [
    field(preferences?.topics, say("topics"), (trait, title, value, more) => {
      const topics = boxes("checkbox", trait, title, Array.isArray(value) ? value : [], speech, { ...more, onchange: () => void save(trait, topics.read(), topics.field) });
      return topics.field;
    }),
    field(preferences?.frequency, say("frequency"), (trait, title, value, more) => {
      const often = boxes("radio", trait, title, [value], speech, { ...more, onchange: () => void save(trait, often.read()[0], often.field) });
      return often.field;
    }),
    field(preferences?.quiet, say("quiet"), (trait, title, value, more) => {
      const quiet = toggle({ title, text: speech.of(trait.why) }, { ...more, checked: value === true, onchange: () => void save(trait, quiet.box.checked, quiet.box) });
      return quiet.row;
    }),
  ].filter((one) => one !== false);
  const heading = Object.assign(desk.heading(say("likes")), { id: "likes" });
  const section = h(
    "section",
    { part: "section", "aria-labelledby": "likes" },
    heading,
    ...fields,
  );
  return fields.length ? section : undefined;
}
