/**
 * `<idoine-consent>`: asks who has not chosen yet. It lies over the page and moves nothing in it, takes the focus from nothing, and refusing is
 * as near as accepting: two buttons of one kind, side by side.
 */
import { h } from "../element.ts";
import type { Purpose } from "../types.ts";
import { choose, isBarred, read, type Known } from "./host.ts";
import { button, policyLink, purposeSwitches, rootOf, signalWords } from "./part.ts";

/** How much of the page's lower edge the banner takes, while it is there. */
const ROOM = "--idoine-banner-room";

export class ConsentBanner extends HTMLElement {
  #begun = false;

  connectedCallback(): void {
    if (this.#begun) return;
    this.#begun = true;
    // Where nobody answers nothing is asked: the next page may.
    void this.#ask().catch(console.error);
  }

  async #ask(): Promise<void> {
    const known = await read();
    const { status, notice } = known;
    const open = notice.purposes.filter(({ name }) => !isBarred(name, status));
    // Who is asked something else by a platform, or whose browser has answered already, is not asked again.
    if (!status.decided && open.length && notice.ask !== "platform") this.#show(known, open.map(({ name }) => name));
  }

  #show(known: Known, open: readonly Purpose[]): void {
    const { status, notice } = known;
    const { root, speech } = rootOf(this);
    const { say } = speech;
    /** Where the focus was before it came here by itself. */
    let before: EventTarget | null = null;

    // In opt-out mode what holds is shown as it is; else nothing is ticked beforehand.
    const switches = purposeSwitches(known, speech, (purpose) => status.granted.includes(purpose));
    const list = h("div", { id: "list", class: "rows", hidden: true }, ...switches.rows);
    const failed = h("p", { class: "alert", part: "alert", role: "alert" });
    const signal = signalWords(known, speech);
    const names = h("p", { class: "names" }, notice.purposes.map(({ name, title }) => speech.of(title) || speech.purpose(name)[0]).join(" · "));

    const answer = async (granted: readonly Purpose[]): Promise<void> => {
      const focused = root.activeElement !== null;
      try {
        await choose(granted, notice);
      } catch {
        failed.textContent = say("failed");
        return;
      }
      panel.remove();
      told.textContent = say("saved");
      if (focused && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };

    const more = button("choose", say("choose"), () => {
      list.hidden = false;
      names.remove();
      more.replaceWith(button("save", say("save"), () => void answer(switches.granted())));
      list.querySelector<HTMLElement>("input:not(:disabled)")!.focus();
    }, { "aria-expanded": "false" });

    const panel = h(
      "section",
      { class: "panel", part: "panel", lang: speech.tag, "aria-labelledby": "title" },
      h("h2", { id: "title", part: "title" }, say("title")),
      h(
        "div",
        { class: "scroll", part: "text" },
        !!status.by && status.by !== "default" && h("p", {}, say("again")),
        h("p", {}, say(notice.mode === "opt-out" ? "object" : "ask")),
        names,
        list,
        signal && h("p", { class: "note", part: "signal" }, signal),
        policyLink(known, speech),
        failed,
      ),
      h(
        "div",
        { class: "buttons", part: "buttons" },
        button("refuse", say("refuseAll"), () => void answer([])),
        button("accept", say("acceptAll"), () => void answer(open)),
        more,
      ),
    );
    panel.addEventListener("focusin", ({ relatedTarget }) => {
      if (!before || (relatedTarget && !panel.contains(relatedTarget as Node))) before = relatedTarget;
    });
    const told = h("p", { class: "sr", role: "status" });
    root.replaceChildren(panel, told);
    // What else lies over the page's lower edge, ours or the site's, can make room. It has no size any more when it is gone.
    new ResizeObserver(() => {
      const { style } = document.documentElement;
      if (panel.offsetHeight) style.setProperty(ROOM, `${panel.offsetHeight + parseFloat(getComputedStyle(panel).bottom)}px`);
      else style.removeProperty(ROOM);
    }).observe(panel);
    // A status is read out when it changes, not when it comes.
    setTimeout(() => (told.textContent = say("waiting")), 500);
  }
}
