/**
 * `<idoine-preferences>`: what is known of the visitor and why, what they allow, and what is theirs to do. In the page, or with the attribute
 * `dialog` over it; `level` is the level of its heading (2); `linked` takes a token out of the page's address. What stands in it comes first.
 */
import type { Consent, ConsentStatus, NoticedTrait, TokenSource } from "../types.ts";
import { CENTRE_STYLE } from "./centre-style.ts";
import { announce, button, CHOSEN, choose, h, keeper, policyLink, purposeSwitches, read, rootOf, signalWords } from "./consent.js";
import type { Known } from "./host.ts";
import { knownSection, type Held } from "./known.ts";
import { likesSection } from "./likes.ts";
import { rightsSection } from "./rights.ts";
import type { Speech } from "./words.ts";

/** Who asks for what is theirs waits, and can see that. */
const PATIENCE_MS = 20_000;

/** Whether the Worker wants to be shown who asks. */
const isUnproven = (cause: unknown): boolean => / 401$/.test(String(cause));

/** What a section of the centre works with. */
export interface Desk {
  readonly speech: Speech;
  readonly known: Known;
  /** Whether the visitor can correct what is known of them here. */
  readonly corrects: boolean;
  /** What is held of the visitor; `undefined` where nothing is, or it can't be seen. */
  readonly held: Held | undefined;
  /** A heading below the centre's own. */
  heading(text: string): HTMLElement;
  /** Asks the Worker for something that is the visitor's right. */
  ask<T>(path: string, body: object): Promise<T>;
  /** Corrects or takes back what is known, and shows how it is then. False when that failed, which is then said. */
  correct(trait: NoticedTrait, value: unknown): Promise<boolean>;
  /** Says something to whoever listens, and shows it. */
  tell(text: string, isAlert?: boolean): void;
  /** Says what went wrong. */
  fail(cause: unknown): void;
  /** Shows how it is when all was erased, and says this. */
  erased(text: string): Promise<void>;
}

/**
 * The token of a link to the Worker's page, `#token=...`, which no server is told; it does not stay in the address. It is used for a user who is
 * logged in here and for nobody else, as anybody can make such a link with a token of their own.
 */
function tokenOfLink(): string | undefined {
  const [, token] = /^#token=([\w.-]+)$/.exec(location.hash) ?? [];
  if (token) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

export class PreferenceCentre extends HTMLElement {
  #begun = false;
  #token: TokenSource | undefined;
  /** Looks once more, where something could not be seen. */
  #again: () => unknown = () => {};

  /** What proves a known user, whose data is handed over to nobody else. */
  get token(): TokenSource | undefined {
    return this.#token;
  }

  set token(source: TokenSource | undefined) {
    this.#token = source;
    this.#again();
  }

  connectedCallback(): void {
    if (this.#begun) return;
    this.#begun = true;
    // The page may have said it before this element was one of ours.
    const early = Object.getOwnPropertyDescriptor(this, "token");
    if (early) {
      delete (this as { token?: unknown }).token;
      this.token = early.value as TokenSource;
    }
    void this.#open();
  }

  async #open(): Promise<void> {
    const { root, speech } = rootOf(this, CENTRE_STYLE);
    const { say } = speech;
    const level = Math.min(Math.max(Math.trunc(Number(this.getAttribute("level"))) || 2, 1), 5);
    const heading = (text: string, at: number): HTMLElement => h(`h${at}` as "h2", { part: at === level ? "title" : "heading", tabindex: "-1" }, text);
    const title = heading(say("centre"), level);
    title.id = "title";
    const told = h("p", { class: "told", part: "status", role: "status", tabindex: "-1" });
    const body = h("div", { class: "sections" });
    const head = h("div", { class: "head" }, title);
    const centre = h("div", { class: "centre", part: "centre", lang: speech.tag, role: "region", "aria-labelledby": "title" }, h("slot"), head, body, told);

    if (this.hasAttribute("dialog")) {
      const dialog = h("dialog", { part: "dialog", "aria-labelledby": "title", onclose: () => this.remove() }, centre);
      // The dialog has the name; what has no role can have none.
      for (const name of ["role", "aria-labelledby"]) centre.removeAttribute(name);
      head.append(button("close", say("close"), () => dialog.close()));
      root.replaceChildren(dialog);
      dialog.showModal();
    } else root.replaceChildren(centre);

    let consent: Consent;
    let known: Known;
    let held: Held | undefined;
    /** Whether there may be more to see for who logs in again. */
    let isLocked = false;

    const tell = (text: string, isAlert = false): void => {
      told.classList.toggle("alert", isAlert);
      told.textContent = text;
    };
    const fail = (cause: unknown): void => tell(say(isUnproven(cause) ? "login" : "failed"), true);

    const linked = this.hasAttribute("linked") ? tokenOfLink() : undefined;

    /** The Worker's answer to a question about what is the visitor's own. */
    const ask = async <T>(path: string, about: object): Promise<T> => {
      const send = (token: string | undefined): Promise<T> => consent.ask!<T>(path, { ...about, ...(token && { token }) }, PATIENCE_MS);
      const token = typeof this.token === "function" ? await this.token() : this.token;
      try {
        return await send(token);
      } catch (cause) {
        if (token || !linked || !isUnproven(cause)) throw cause;
        return send(linked);
      }
    };

    async function look(): Promise<void> {
      held = undefined;
      isLocked = false;
      // Without consent there is nothing to ask for.
      if (!consent.ask || !known.status.granted.length) return;
      try {
        // What is shown is no event: the bucket need not be looked through.
        held = await ask<Held>("export", { exported: false });
      } catch (cause) {
        // A Worker that keeps no profiles has nothing to hand over.
        if (/ (404|501)$/.test(String(cause))) return;
        isLocked = true;
        fail(cause);
      }
    }

    const desk = (): Desk => ({
      speech,
      known,
      corrects: !consent.local,
      held,
      heading: (text) => heading(text, level + 1),
      ask,
      tell,
      fail,
      async correct({ name }, value) {
        try {
          await ask("profile", { traits: { [name]: value } });
          await look();
          if (!isLocked) tell(say("saved"));
          showData();
          return true;
        } catch (cause) {
          fail(cause);
          return false;
        }
      },
      async erased(text) {
        known = await read();
        announce(known.status);
        held = undefined;
        show();
        tell(text);
        // What had the focus is gone.
        told.focus();
      },
    });

    const data = h("div", { class: "sections" });

    /** What hangs on what is held, anew. */
    function showData(): void {
      const sections = consent.ask && !isLocked ? [!consent.local && likesSection(desk()), knownSection(desk())] : [];
      data.replaceChildren(...sections.filter((section) => !!section));
    }

    const allowed = h("p", { class: "soft", part: "since" });

    function showChosen(): void {
      const { at, by } = known.status;
      allowed.textContent = at && by !== "default" ? say(by === "platform" ? "chosenElsewhere" : "chosen", speech.date(at)) : say("unasked");
    }

    /** All of it anew. */
    function show(): void {
      const { notice } = known;
      const signal = signalWords(known, speech);
      const isOn = (purpose: ConsentStatus["granted"][number]): boolean => known.status.granted.includes(purpose);
      let last: Promise<unknown> = Promise.resolve();
      const switches = purposeSwitches(known, speech, isOn, () => {
        // One choice after the other, as they were made.
        const granted = switches.granted();
        last = last.then(async () => {
          try {
            known = await choose(granted, notice);
            tell(say("saved"));
          } catch (cause) {
            switches.show(isOn);
            return fail(cause);
          }
          showChosen();
          await look();
          showData();
        });
      });
      refresh = async (status) => {
        if (status === known.status) return;
        known = { ...known, status };
        switches.show(isOn);
        showChosen();
        await look();
        showData();
      };
      showChosen();
      showData();
      body.replaceChildren(
        h(
          "section",
          { part: "section", "aria-labelledby": "allow" },
          Object.assign(heading(say("allow"), level + 1), { id: "allow" }),
          signal && h("p", { class: "note", part: "signal" }, signal),
          h("div", { class: "rows" }, ...switches.rows),
          allowed,
          policyLink(known, speech),
        ),
        data,
        ...(consent.local ? [h("p", { class: "soft" }, say(consent.ask ? "localId" : "localOnly"))] : []),
        ...(consent.ask ? [rightsSection(desk())] : []),
      );
    }

    let refresh = async (_: ConsentStatus): Promise<void> => {};
    const heard = (event: Event): void => void refresh((event as CustomEvent<ConsentStatus>).detail);

    try {
      const before = this.#token;
      consent = await keeper();
      known = await read();
      await look();
      show();
      this.#again = async () => {
        if (!isLocked) return;
        tell("");
        await look();
        showData();
      };
      // It may have been said meanwhile.
      if (this.#token !== before) this.#again();
      document.addEventListener(CHOSEN, heard);
    } catch (cause) {
      fail(cause);
    }
  }
}
