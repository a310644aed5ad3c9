/**
 * Consent where no Worker keeps it: first-party storage of this browser, the same cookies that the Worker would set.
 * Opt-in: before a purpose is granted there is no id, and nothing at all is stored until the visitor has answered.
 *
 * What a choice means for a decision, the engine judges from the cookie's own text, as it does at the edge. The reading
 * here is for those who ask what was agreed to; tests/spec/consent.json holds both to the same answers.
 */
import { refusesProfiling } from "./facts.ts";
import type { Consent, ConsentStatus, Purpose } from "./types.ts";

const CHOICE = "idoine_consent";
const ID = "idoine_id";
const PURPOSES: readonly Purpose[] = ["personalization", "analytics", "marketing"];
/** 395 days: what the law's thirteen months allow. */
const MAX_AGE_S = 34_128_000;

/** Consent kept in this browser, and the cookies that the engine reads it from. */
export interface LocalConsent extends Consent {
  /** The cookies of a request, as the edge would see them. */
  cookie(): string;
}

/** Consent in first-party cookies; in local storage where cookies are refused; else for this page only. */
export function localConsent(): LocalConsent {
  const memory = new Map<string, string>();

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
  function choice(): string {
    return (read(CHOICE) ?? "").split(";", 1)[0]!.trim();
  }

  const status = (): ConsentStatus => readChoice(choice(), refusesProfiling());

  return {
    async get() {
      return status();
    },
    async set(granted) {
      const kept = allowed(granted, refusesProfiling());
      write(CHOICE, ["v1", ...kept].join("."));
      write(ID, kept.length ? read(ID) || mint() : "");
      return status();
    },
    cookie() {
      const text = choice();
      if (!text) return "";
      // Without consent the id is not even read.
      const id = status().granted.length ? read(ID) : "";
      return `${CHOICE}=${text}${id ? `; ${ID}=${id}` : ""}`;
    },
  };
}

/** Reads a choice: `v1`, then each granted purpose after a dot. With anything else in it, it is no choice of ours. */
export function readChoice(text: string, gpc: boolean): ConsentStatus {
  const [format, ...granted] = text.split(".");
  const decided = format === "v1" && granted.every((name) => PURPOSES.includes(name as Purpose));
  return { granted: allowed(decided ? granted : [], gpc), decided };
}

/** The known purposes among these, without those that Global Privacy Control refuses where the browser sends it. */
function allowed(granted: readonly string[], gpc: boolean): Purpose[] {
  return PURPOSES.filter((purpose) => granted.includes(purpose) && (purpose === "analytics" || !gpc));
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

/** A random id. `randomUUID` is missing on plain http. */
function mint(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Storage may be refused with an exception: in a sandboxed frame, or by the visitor's settings. */
function tolerant<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {
    return undefined;
  }
}
