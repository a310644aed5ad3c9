/** What each slot shows, and why. */
import type { Decision } from "../types.ts";
import { briefOf, whyInFull, type Explained } from "./clauses.ts";
import { h } from "../element.ts";
import type { Highlight } from "./highlight.ts";
import type { Report } from "./source.ts";
import { stepWords } from "./steps.ts";
import { shown, whyLost, whyShown, WON, type Candidate } from "./words.ts";

/** The slots of this page, with a table of every candidate. `onPage` is what the page was told when it was loaded. */
export function slotList({ explanation, selectors }: Report, onPage: readonly Decision[], highlight: Highlight): HTMLElement {
  const candidatesOf = new Map(explanation.slots.map(({ slot, candidates }) => [slot, candidates]));
  const inFull = new Map(explanation.experiences.map((explained) => [explained.experience, explained]));
  const elsewhere = explanation.slots.length - explanation.decisions.length;
  return h(
    "section",
    { "aria-label": "Slots" },
    ...(explanation.ignored ?? []).map(([path, expected]) =>
      h("p", { class: "alert" }, `idoine.${path} was ignored: expected ${expected}.`),
    ),
    h("h3", {}, "Slots of this page"),
    h(
      "ul",
      { class: "slots" },
      ...explanation.decisions.map((decision) =>
        slotCard(
          decision,
          candidatesOf.get(decision.slot) ?? [],
          inFull,
          onPage.find(({ slot }) => slot === decision.slot),
          selectors.get(decision.slot),
          highlight,
        ),
      ),
    ),
    explanation.decisions.length === 0 && h("p", { class: "soft" }, "No slot is on this page."),
    withoutSlots(explanation),
    elsewhere > 0 && h("p", { class: "soft" }, `${elsewhere} more ${elsewhere === 1 ? "slot is" : "slots are"} on other pages.`),
  );
}

function slotCard(
  decision: Decision,
  candidates: readonly Candidate[],
  inFull: ReadonlyMap<string, Explained>,
  onPage: Decision | undefined,
  selector: string | undefined,
  highlight: Highlight,
): HTMLElement {
  const { slot, experience, source, reason } = decision;
  // Of one that won there is a step only where it won without a unit: what is missing.
  const step = experience === null ? undefined : inFull.get(experience)?.step;
  const missing = step && stepWords(reason, step);
  const differs = onPage && (onPage.experience !== experience || onPage.variant !== decision.variant);
  const card = h(
    "li",
    { class: "slot" },
    h(
      "div",
      { class: "line" },
      h("strong", {}, slot),
      h("span", { class: `badge ${source}` }, shown(decision)),
      selector !== undefined &&
        h("button", { type: "button", class: "find end", onclick: () => scrollTo(selector), "aria-label": `Show ${slot} in the page` }, "Show in page"),
    ),
    h("p", {}, whyShown(decision)),
    missing !== undefined && h("p", { class: "soft" }, missing),
    differs && h("p", { class: "soft" }, `When this page was loaded: ${onPage.experience ?? "no experience"}, ${shown(onPage)}.`),
    candidates.length > 0 && candidateTable(decision, candidates, inFull),
  );
  if (selector !== undefined) {
    const show = (): void => void highlight.show(selector, slot);
    card.addEventListener("mouseenter", show);
    card.addEventListener("focusin", show);
    card.addEventListener("mouseleave", highlight.clear);
    card.addEventListener("focusout", highlight.clear);
  }
  return card;
}

function scrollTo(selector: string): void {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector(selector)?.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

function candidateTable({ experience: winner }: Decision, candidates: readonly Candidate[], inFull: ReadonlyMap<string, Explained>): HTMLElement {
  const count = candidates.length === 1 ? "1 experience wants" : `${candidates.length} experiences want`;
  const result = (candidate: Candidate): string | undefined => (candidate.experience === winner ? "won the slot" : undefined);
  return experienceTable(`${count} this slot`, candidates, inFull, result);
}

/** Experiences that are about no slot: they suppress others, or hold a place in a group. */
function withoutSlots({ slots, experiences }: Report["explanation"]): HTMLElement | undefined {
  const named = new Set(slots.flatMap(({ candidates }) => candidates.map(({ experience }) => experience)));
  const rest = experiences.filter(({ experience }) => !named.has(experience));
  const applies = ({ reason }: Candidate): string | undefined => (reason in WON ? "applies" : undefined);
  return rest.length === 0 ? undefined : experienceTable(`${rest.length} ${rest.length === 1 ? "experience" : "experiences"} without a slot`, rest, new Map(rest.map((one) => [one.experience, one])), applies);
}

/** A table of experiences, with what became of each. `won` tells of those that did not lose. */
function experienceTable(title: string, candidates: readonly Candidate[], inFull: ReadonlyMap<string, Explained>, wonBy: (candidate: Candidate) => string | undefined): HTMLElement {
  const row = (candidate: Candidate): HTMLElement => {
    const winning = wonBy(candidate);
    const won = winning !== undefined;
    const explained = inFull.get(candidate.experience);
    // An experience may have won elsewhere on the page, and lose here as this slot is not its own.
    const full = !won && explained?.reason === candidate.reason ? whyInFull(explained) : undefined;
    const result = winning ?? whyLost(candidate);
    return h(
      "tr",
      { class: won ? "won" : "" },
      h("th", { scope: "row" }, candidate.experience),
      h("td", {}, full ? opener(result, full) : result, !won && explained?.reason === candidate.reason && briefOf(explained)),
    );
  };
  return h(
    "details",
    {},
    h("summary", {}, title),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Experience"), h("th", { scope: "col" }, "Result"))),
      h("tbody", {}, ...candidates.map(row)),
    ),
  );
}

/** A button that opens a row below its own, and closes it again. */
function opener(label: string, content: HTMLElement): HTMLElement {
  const more = h("tr", { class: "more" }, h("td", { colspan: "2" }, content));
  const button = h(
    "button",
    {
      type: "button",
      class: "opener",
      "aria-expanded": "false",
      onclick: () => {
        const open = button.getAttribute("aria-expanded") === "false";
        button.setAttribute("aria-expanded", String(open));
        if (open) button.closest("tr")?.after(more);
        else more.remove();
      },
    },
    label,
  );
  return button;
}
