/**
 * The debug panel: see the page as someone else and at another time, and why each slot shows what it shows; the visitor's audiences, profile,
 * consents and events.
 *
 * Until it is opened it is a small pill that asks nothing. All of it lies in a shadow root.
 */
import { h } from "../element.ts";
import { onRoute } from "../navigation.ts";
import { readState } from "../page.ts";
import type { Decision, Idoine, Purpose } from "../types.ts";
import { readOverrides } from "./address.ts";
import { audienceSection } from "./audiences.ts";
import { consentSection } from "./consents.ts";
import { eventSection } from "./events.ts";
import { createHighlight } from "./highlight.ts";
import { profileSection } from "./profile.ts";
import { follow, keepOpen, openedAt } from "./session.ts";
import { slotList } from "./slots.ts";
import type { Source } from "./source.ts";
import { STYLE } from "./style.ts";
import { tabs, type Tabs } from "./tabs.ts";
import { timeSection, timeWords, travelledTo, travelNote, zoneOf } from "./time.ts";
import { personaChoice, valueForm } from "./visitor.ts";

const TAG = "idoine-bar";
const FIRST = "slots";

/** The page's client, when it is there. */
const client = (): Partial<Idoine> | undefined => (window as { idoine?: Partial<Idoine> }).idoine;

/** What the page was told: by the client where it is there, else by the edge. */
const pageDecisions = (): readonly Decision[] => client()?.decisions?.() ?? readState()?.decisions ?? [];

function summary(): string {
  const decisions = pageDecisions();
  const personal = decisions.filter(({ variant }) => variant > 0).length;
  return `${personal} of ${decisions.length} ${decisions.length === 1 ? "slot" : "slots"} personalised`;
}

/** Puts the panel into the page, once. `open` opens it. */
export function mount(source: Source): { open(): void } | undefined {
  if (document.querySelector(TAG) || follow(client)) return undefined;
  const host = document.createElement(TAG);
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];

  const status = h("span", { class: "soft" });
  const pill = h(
    "button",
    { type: "button", class: "pill", "aria-expanded": "false", "aria-controls": "panel", onclick: () => open() },
    h("span", { class: "dot", "aria-hidden": "true" }),
    "Preview",
    status,
  );
  const subtitle = h("span", { class: "soft", role: "status" });
  const travelling = h("div", {});
  const columns = h("div", { class: "columns" });
  const close = h("button", { type: "button", class: "plain", onclick: () => shut() }, "Close");
  const panel = h(
    "section",
    { class: "panel", id: "panel", hidden: true, "aria-label": "Idoine preview" },
    h("header", {}, h("h2", {}, "Idoine preview"), subtitle, close),
    travelling,
    columns,
  );
  const marks = h("div", { "aria-hidden": "true" });
  const highlight = createHighlight(marks);
  shadow.append(h("div", { class: "root" }, pill, panel, marks));
  shadow.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key === "Escape" && !panel.hidden) shut();
  });

  let filling = 0;
  let sections: Tabs | undefined;

  /** The pill's words. Who looks at another time is told so all the while. */
  function label(): void {
    const at = travelledTo();
    const zone = zoneOf(Object.fromEntries(readOverrides(location.href)));
    pill.classList.toggle("travelling", at !== undefined);
    status.textContent = at === undefined ? summary() : `as of ${timeWords(at, zone)}`;
  }

  async function fill(): Promise<void> {
    const mine = ++filling;
    subtitle.textContent = "Loading\u2026";
    try {
      const [report, personas, consent, stored] = await Promise.all([
        source.explain(location.href),
        source.personas().catch(() => ({})),
        source.consent(),
        source.profile?.(readOverrides(location.href)).catch(() => undefined),
      ]);
      if (mine !== filling) return;
      const { explanation, now, until } = report;
      const { version, context, experiences } = explanation;
      const zone = zoneOf(context);
      const at = travelledTo();
      sections?.stop();
      highlight.clear();
      sections = tabs(
        "What is known",
        [
          { name: FIRST, title: "Slots", content: () => ({ element: slotList(report, pageDecisions(), highlight) }) },
          { name: "audiences", title: "Audiences", content: () => ({ element: audienceSection(experiences) }) },
          { name: "profile", title: "Profile", content: () => ({ element: profileSection(source, stored, explanation, zone) }) },
          { name: "consent", title: "Consent", content: () => ({ element: consentSection(consent, context, zone, (granted) => void choose(granted)) }) },
          { name: "events", title: "Events", content: () => eventSection(client, zone) },
        ],
        openedAt(),
        keepOpen,
      );
      travelling.replaceChildren(...(at === undefined ? [] : [travelNote(at, zone)]));
      columns.replaceChildren(
        h("div", { class: "column" }, timeSection({ now, zone, until }), personaChoice(personas), valueForm(context)),
        h("div", { class: "column" }, sections.element),
      );
      subtitle.textContent = `${summary()} \u00b7 program ${version}`;
    } catch (cause) {
      if (mine !== filling) return;
      subtitle.textContent = "";
      fail(cause);
    }
  }

  function fail(cause: unknown): void {
    sections?.stop();
    const text = `This page cannot be explained at the moment. ${cause instanceof Error ? cause.message : String(cause)}`;
    const again = h("button", { type: "button", class: "plain", onclick: () => void fill() }, "Try again");
    columns.replaceChildren(h("div", { class: "column" }, h("p", { class: "alert", role: "alert" }, text), h("div", {}, again)));
  }

  async function choose(granted: readonly Purpose[]): Promise<void> {
    try {
      await source.choose(granted);
      location.reload();
    } catch (cause) {
      fail(cause);
    }
  }

  function open(focus = true): void {
    pill.hidden = true;
    panel.hidden = false;
    pill.setAttribute("aria-expanded", "true");
    keepOpen(openedAt() ?? FIRST);
    if (focus) close.focus();
    void fill();
  }

  function shut(): void {
    // Whatever is on its way has nobody to be shown to.
    filling++;
    sections?.stop();
    highlight.clear();
    panel.hidden = true;
    pill.hidden = false;
    pill.setAttribute("aria-expanded", "false");
    label();
    keepOpen(null);
    pill.focus();
  }

  document.documentElement.append(host);
  label();
  onRoute(() => (panel.hidden ? label() : void fill()));
  if (openedAt() !== null) open(false);
  return { open: () => panel.hidden && open() };
}
