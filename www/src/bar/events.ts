/** What the page tells of what is done in it, as it does: newest first, with what became of it. Exposures are told there too. */
import { h } from "../element.ts";
import type { Debug, Idoine, ToldEvent } from "../types.ts";
import { readOverrides } from "./address.ts";
import { timeWords } from "./time.ts";

/** How often the client is asked: nothing waits for this. */
const EVERY_MS = 400;

const STATUS: Readonly<Record<ToldEvent["status"], string>> = {
  waiting: "waiting",
  sent: "sent",
  refused: "refused: not agreed to",
  failed: "failed: lost",
};

/** What happened, in a line. */
function title({ type, event, properties = {} }: ToldEvent): string {
  if (type !== "exposure") return event ?? String(properties["name"] ?? "");
  const { slot, experience, variant } = properties;
  return `${slot}: ${experience}, variant ${variant}`;
}

function row(told: ToldEvent, zone: string): HTMLElement {
  const { at, type, properties, status } = told;
  const hasMore = properties !== undefined && Object.keys(properties).length > 0;
  return h(
    "li",
    { class: "event" },
    h(
      "div",
      { class: "line" },
      h("span", { class: "badge" }, type),
      h("strong", {}, title(told)),
      h("span", { class: `badge end ${status}` }, STATUS[status]),
    ),
    h("time", { class: "soft", datetime: new Date(at).toISOString() }, `${timeWords(at, zone)}:${String(new Date(at).getUTCSeconds()).padStart(2, "0")}`),
    hasMore && h("details", {}, h("summary", {}, "Properties"), h("pre", { tabindex: "0", role: "group", "aria-label": `Properties of ${type}` }, JSON.stringify(properties, null, 2))),
  );
}

/** The section, which follows the client until it is stopped. */
export function eventSection(client: () => Partial<Idoine> | undefined, zone: string): { element: HTMLElement; stop: () => void } {
  const list = h("ol", { class: "events", "aria-label": "Events" });
  const count = h("p", { class: "soft", role: "status" });
  const error = h("p", { class: "alert", hidden: true });
  let shown = "";
  let rows = new Map<string, HTMLElement>();

  function refresh(): void {
    const debug: Partial<Debug> | undefined = client()?.debug?.();
    const events = debug?.events;
    const now = JSON.stringify([events, debug?.error]);
    if (now === shown) return;
    shown = now;
    count.textContent = !events ? "This page has no client that tells what is done." : events.length === 0 ? "Nothing was told yet." : `${events.length} told, the newest first.`;
    // What has not changed stays as it is, with what is open in it.
    const fresh = new Map<string, HTMLElement>();
    for (const told of events ?? []) {
      let key = JSON.stringify(told);
      while (fresh.has(key)) key += "+";
      fresh.set(key, rows.get(key) ?? row(told, zone));
    }
    rows = fresh;
    list.replaceChildren(...[...fresh.values()].reverse());
    error.hidden = debug?.error === undefined;
    error.textContent = `What went wrong last: ${debug?.error}`;
  }

  refresh();
  const timer = setInterval(refresh, EVERY_MS);
  const isElse = readOverrides(location.href).size > 0;
  return {
    element: h(
      "section",
      { "aria-label": "Events" },
      h("h3", {}, "Events of this page"),
      count,
      isElse && h("p", { class: "soft" }, "While you look as somebody else, or at another time, the Worker stores none of it."),
      error,
      list,
    ),
    stop: () => clearInterval(timer),
  };
}
