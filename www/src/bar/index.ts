/**
 * The preview bar: see the page as someone else, and why each slot shows what it shows.
 *
 * The Worker adds it only where preview is allowed. Until it is opened it is a small pill that loads nothing. It keeps
 * nothing but, for this tab, whether it is open.
 */
import { onRoute } from "../navigation.ts";
import { readState } from "../page.ts";
import { call } from "../remote.ts";
import type { ConsentStatus, Decision, Idoine, Purpose } from "../types.ts";
import { h } from "../element.ts";
import { explainPage } from "./explain.ts";
import { createHighlight } from "./highlight.ts";
import { contextList, slotList } from "./slots.ts";
import { STYLE } from "./style.ts";
import { consentSwitches, personaChoice, valueForm, type Personas } from "./visitor.ts";

const TAG = "idoine-bar";
const OPEN = "idoine_bar";

/** What the page was told: by the client where it is there, else by the edge. */
function pageDecisions(): readonly Decision[] {
  const client = (window as { idoine?: Partial<Idoine> }).idoine;
  return client?.decisions?.() ?? readState()?.decisions ?? [];
}

function summary(): string {
  const decisions = pageDecisions();
  const personal = decisions.filter(({ variant }) => variant > 0).length;
  return `${personal} of ${decisions.length} ${decisions.length === 1 ? "slot" : "slots"} personalised`;
}

function remember(open: boolean): void {
  try {
    if (open) sessionStorage.setItem(OPEN, "1");
    else sessionStorage.removeItem(OPEN);
  } catch {
    // Without storage the bar is closed on the next page.
  }
}

function wasOpen(): boolean {
  try {
    return sessionStorage.getItem(OPEN) !== null;
  } catch {
    return false;
  }
}

function mount(): void {
  if (document.querySelector(TAG)) return;
  const host = document.createElement(TAG);
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];

  const status = h("span", {}, summary());
  const pill = h(
    "button",
    { type: "button", class: "pill", "aria-expanded": "false", "aria-controls": "panel", onclick: () => open() },
    h("span", { class: "dot", "aria-hidden": "true" }),
    "Preview",
    h("span", { class: "soft" }, status),
  );
  const subtitle = h("span", { class: "soft", role: "status" });
  const columns = h("div", { class: "columns" });
  const close = h("button", { type: "button", class: "plain", onclick: () => shut() }, "Close");
  const panel = h(
    "section",
    { class: "panel", id: "panel", hidden: true, "aria-label": "Idoine preview" },
    h("header", {}, h("h2", {}, "Idoine preview"), subtitle, close),
    columns,
  );
  const marks = h("div", { "aria-hidden": "true" });
  const highlight = createHighlight(marks);
  shadow.append(h("div", { class: "root" }, pill, panel, marks));
  shadow.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key === "Escape" && !panel.hidden) shut();
  });

  let filling = 0;

  async function fill(): Promise<void> {
    const mine = ++filling;
    subtitle.textContent = "Loading\u2026";
    try {
      const [report, personas, consent] = await Promise.all([
        explainPage(location.href),
        call<Personas>(undefined, "personas").catch((): Personas => ({})),
        call<ConsentStatus>(undefined, "consent"),
      ]);
      if (mine !== filling) return;
      const { version, context } = report.explanation;
      columns.replaceChildren(
        h("div", { class: "column" }, personaChoice(personas), valueForm(context), consentSwitches(consent, saveConsent)),
        h("div", { class: "column" }, slotList(report, pageDecisions(), highlight), contextList(context)),
      );
      subtitle.textContent = `${summary()} \u00b7 program ${version}`;
    } catch (cause) {
      if (mine !== filling) return;
      subtitle.textContent = "";
      fail(cause);
    }
  }

  function fail(cause: unknown): void {
    const text = `This page cannot be explained at the moment. ${cause instanceof Error ? cause.message : String(cause)}`;
    const again = h("button", { type: "button", class: "plain", onclick: () => void fill() }, "Try again");
    columns.replaceChildren(h("div", { class: "column" }, h("p", { class: "alert", role: "alert" }, text), h("div", {}, again)));
  }

  async function saveConsent(granted: Purpose[]): Promise<void> {
    try {
      await call<ConsentStatus>(undefined, "consent", { granted });
      location.reload();
    } catch (cause) {
      fail(cause);
    }
  }

  function open(focus = true): void {
    pill.hidden = true;
    panel.hidden = false;
    pill.setAttribute("aria-expanded", "true");
    remember(true);
    if (focus) close.focus();
    void fill();
  }

  function shut(): void {
    highlight.clear();
    panel.hidden = true;
    pill.hidden = false;
    pill.setAttribute("aria-expanded", "false");
    status.textContent = summary();
    remember(false);
    pill.focus();
  }

  document.documentElement.append(host);
  onRoute(() => (panel.hidden ? (status.textContent = summary()) : void fill()));
  if (wasOpen()) open(false);
}

mount();
