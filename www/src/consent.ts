/**
 * Consent where no Worker keeps the choice: first-party storage of this browser, the same cookies that the Worker would set.
 * Opt-in: before a purpose is granted there is no id, and nothing at all is stored until the visitor has answered.
 *
 * What a choice means for a decision, the engine judges from the cookie's own text, as it does at the edge. The reading
 * here is for those who ask what was agreed to; tests/spec/consent.json holds both to the same answers.
 */
import { choiceAfter, PURPOSES, readChoice, statusOf, writeChoice, type Choice, type Signals, type Terms } from "./choice.ts";
import { refusesProfiling, refusesTracking } from "./facts.ts";
import { newId } from "./ids.ts";
import type { Consent, ConsentStatus, Notice } from "./types.ts";

const CHOICE = "idoine_consent";
const ID = "idoine_id";
/** 395 days: what the law's thirteen months allow. */
const MAX_AGE_S = 34_128_000;
/** Decisions do not wait longer than this for the notice. */
const PATIENCE_MS = 3000;
/** Who takes something back waits for the Worker, and can see that. */
const TELL_MS = 20_000;
/** The terms where nothing is known of them, as a manifest that says nothing of them has them. */
const PLAIN: Terms = { mode: "opt-in", version: 1 };

/** Consent kept in this browser, and the cookies that the engine reads it from. */
export interface LocalConsent extends Consent {
  /** The cookies of a request, as the edge would see them, once the notice is there. */
  cookie(): Promise<string>;
  /** What this browser's events call it, while anything is granted. Who knows it is given what the Worker has of it. */
  id(): Promise<string | undefined>;
}

/**
 * What visitors are told and what decides come as two files, and one of them may be older: of two versions of the wording the newer has to be
 * agreed to, and nothing holds without that unless both say so. Where one can't be had, nothing does either.
 */
function termsOf(program: Terms | undefined, told: Terms | undefined): Terms {
  const mode = program?.mode === told?.mode ? program?.mode : undefined;
  return { mode: mode ?? PLAIN.mode, version: Math.max(program?.version ?? 1, told?.version ?? 1) };
}

/**
 * Consent in first-party cookies; in local storage where cookies are refused; else for this page only. On the terms that the program has
 * (`asked`) and, where its address is given, those that the notice has. The Worker that has this browser's events, where there is one, is told what
 * is taken back, and asked for what it holds.
 */
export function localConsent(asked: () => Promise<Terms>, notice?: string, worker?: NonNullable<Consent["ask"]>): LocalConsent {
  const memory = new Map<string, string>();
  let told: Promise<Notice | undefined> | undefined;

  function read(name: string): string | undefined {
    return memory.get(name) ?? stored(name);
  }

  function write(name: string, value: string): void {
    tolerant(() => {
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${value ? MAX_AGE_S : 0}${secure}`;
    });
    tolerant(() => {
      if (value && readCookie(name) !== value) localStorage.setItem(name, value);
      else localStorage.removeItem(name);
    });
    // Other tabs change what is stored: it is trusted wherever it can be had.
    if ((stored(name) ?? "") === value) memory.delete(name);
    else memory.set(name, value);
  }

  /** The choice as a cookie would carry it: local storage takes any text. */
  function text(): string {
    return (read(CHOICE) ?? "").split(";", 1)[0]!.trim();
  }

  /** The id, as far as it can be one: local storage takes any text. */
  const id = (): string | undefined => /^[\w-]+/.exec(read(ID) ?? "")?.[0];

  /**
   * Holds to another choice from now on, so that nothing is told meanwhile that is over, and `tell`s of it; where that fails all is as it was, to be
   * tried again.
   */
  async function change(choice: Choice, tell: () => Promise<unknown>): Promise<void> {
    const before = text();
    const after = writeChoice(choice);
    write(CHOICE, after);
    try {
      await tell();
    } catch (cause) {
      // What was chosen meanwhile counts.
      if (text() === after) write(CHOICE, before);
      throw cause;
    }
  }

  /** What is chosen when all is taken back. */
  const none = (version: number): Choice => choiceAfter(readChoice(text()), { granted: [], version, at: Math.floor(Date.now() / 1000), by: "visitor" }, signals());

  /** Has the Worker erase what it has of this browser: all of it, or what is for these purposes. */
  async function erase<T>(about: object, patience = TELL_MS): Promise<T> {
    const anonymousId = id();
    return anonymousId ? worker!<T>("erase", { ...about, anonymousId }, patience) : ({ receipt: null, erased: true } as T);
  }

  /** What the Worker has of this browser, as a visitor's right; without an id it has nothing. */
  async function ask<T>(path: string, about: unknown, patience?: number): Promise<T> {
    const anonymousId = id();
    if (path === "erase") {
      const { terms, about: told } = await known();
      let answer!: T;
      await change(none(Math.min(told?.version ?? terms.version, terms.version)), async () => (answer = await erase<T>(about as object, patience)));
      write(ID, "");
      return answer;
    }
    // As the Worker itself says it.
    if (path !== "export" || !anonymousId) throw new Error(`${path}: 404`);
    return worker!<T>(path, { ...(about as object), anonymousId }, patience);
  }

  const signals = (): Signals => ({ gpc: refusesProfiling(), dnt: refusesTracking() });

  function noticed(): Promise<Notice | undefined> {
    told ??= notice === undefined ? Promise.resolve(undefined) : download(notice);
    // Perhaps the network was away.
    told.catch(() => (told = undefined));
    return told.catch(() => undefined);
  }

  /** The site's terms, those that the program alone has, and what visitors are told. */
  async function known(): Promise<{ terms: Terms; program: Terms | undefined; about: Notice | undefined }> {
    const [program, about] = await Promise.all([asked().catch(() => undefined), noticed()]);
    return { terms: termsOf(program, notice === undefined ? program : about), program, about };
  }

  /** What holds, with an id where something does. */
  function settled(choice: Choice | undefined, { terms, about }: { terms: Terms; about: Notice | undefined }): ConsentStatus {
    const status = statusOf(choice, terms, signals());
    if (status.granted.length && !read(ID)) write(ID, newId());
    return { ...status, ...(about && { notice: about }) };
  }

  return {
    async get() {
      const site = await known();
      return settled(readChoice(text()), site);
    },
    async set(granted, { version, by = "visitor" } = {}) {
      const site = await known();
      const { terms, about } = site;
      // A wording that there is not yet was seen by nobody.
      const seen = Math.min(version ?? about?.version ?? terms.version, terms.version);
      const before = readChoice(text());
      const choice = choiceAfter(before, { granted, version: seen, at: Math.floor(Date.now() / 1000), by }, signals());
      const left = statusOf(choice, terms, signals()).granted;
      // What the browser refuses meanwhile was agreed to, and is the Worker's to erase all the same.
      const had = PURPOSES.filter((one) => before?.said.get(one) === "granted" || statusOf(before, terms, signals()).granted.includes(one));
      const purposes = had.filter((one) => !left.includes(one));
      // Where nothing is left the id goes, and with it what the Worker can be asked by: so all goes there.
      await change(choice, async () => worker && purposes.length > 0 && erase(left.length ? { purposes } : {}));
      const status = settled(choice, site);
      if (!status.granted.length) write(ID, "");
      return status;
    },
    local: true,
    ...(worker && { ask }),
    async id() {
      const { granted } = settled(readChoice(text()), await known());
      return granted.length ? id() : undefined;
    },
    async cookie() {
      const site = await known();
      const { terms, program } = site;
      const { granted } = settled(readChoice(text()), site);
      // The engine judges the choice by the program's terms. Where those are not the site's, it is told what is left of it.
      const isSame = terms.mode === program?.mode && terms.version === program.version;
      const choice = isSame ? text() : writeChoice(choiceAfter(undefined, { granted, version: terms.version, at: 0, by: "visitor" }, signals()));
      // Without consent the id is not even told.
      return [choice && `${CHOICE}=${choice}`, granted.length > 0 && `${ID}=${read(ID)}`].filter(Boolean).join("; ");
    },
  };
}

async function download(address: string): Promise<Notice> {
  const response = await fetch(address, { signal: AbortSignal.timeout?.(PATIENCE_MS) });
  if (!response.ok) throw new Error(`notice: ${response.status}`);
  return (await response.json()) as Notice;
}

function stored(name: string): string | undefined {
  return readCookie(name) ?? tolerant(() => localStorage.getItem(name) ?? undefined);
}

function readCookie(name: string): string | undefined {
  return tolerant(() => {
    const found = document.cookie.split("; ").find((pair) => pair.startsWith(name + "="));
    return found?.slice(name.length + 1);
  });
}

/** Storage may be refused with an exception: in a sandboxed frame, or by the visitor's settings. */
function tolerant<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {
    return undefined;
  }
}
