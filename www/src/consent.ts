/**
 * Consent where no Worker keeps it: first-party storage of this browser, the same cookies that the Worker would set.
 * Opt-in: before a purpose is granted there is no id, and nothing at all is stored until the visitor has answered.
 */
import { refusesProfiling } from "./facts.ts";
import type { Consent, ConsentStatus, Purpose } from "./types.ts";

const CHOICE = "idoine_consent";
const ID = "idoine_id";
const PURPOSES: readonly Purpose[] = ["personalization", "analytics", "marketing"];
/** 395 days: what the law's thirteen months allow. */
const MAX_AGE_S = 34_128_000;

/** Consent kept in this browser, and what of it the engine may be told. */
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

  function status(): ConsentStatus {
    const [format, ...granted] = (read(CHOICE) ?? "").split(".");
    return { granted: allowed(format === "v1" ? granted : []), decided: format === "v1" };
  }

  return {
    async get() {
      return status();
    },
    async set(granted) {
      const kept = allowed(granted);
      write(CHOICE, ["v1", ...kept].join("."));
      write(ID, kept.length ? read(ID) || mint() : "");
      return status();
    },
    cookie() {
      const { granted, decided } = status();
      if (!decided) return "";
      const id = granted.length ? read(ID) : "";
      return `${CHOICE}=${["v1", ...granted].join(".")}${id ? `; ${ID}=${id}` : ""}`;
    },
  };
}

/** The known purposes among these, without those that the browser itself refuses. */
function allowed(granted: readonly string[]): Purpose[] {
  return PURPOSES.filter((purpose) => granted.includes(purpose) && (purpose === "analytics" || !refusesProfiling()));
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
