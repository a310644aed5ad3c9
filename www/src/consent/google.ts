/**
 * Google Consent Mode v2: what pages tell by `gtag("consent", "default" | "update", { ... })`, read from its queue; and what was chosen with us,
 * told there.
 */
import type { Purpose } from "../types.ts";
import type { Voice } from "./rank.ts";

/** What each purpose is called there. All of them must be granted. */
const TYPES: Readonly<Record<Purpose, readonly string[]>> = {
  personalization: ["personalization_storage"],
  analytics: ["analytics_storage"],
  marketing: ["ad_storage", "ad_user_data", "ad_personalization"],
};

type Settings = Readonly<Record<string, unknown>>;
interface WithQueue {
  dataLayer?: unknown[];
}

/** Listens to the queue, and calls back with what is granted there. Returns what tells it of a choice. */
export function google(hear: (voice: Voice) => void): (granted: readonly Purpose[]) => void {
  const queue = ((window as WithQueue).dataLayer ??= []);
  /** What holds there: of several defaults (they may be for regions) the strictest. */
  const held = new Map<string, boolean>();
  let hasSpoken = false;
  /** What we told ourselves is no news. */
  const ours = new WeakSet<object>();

  function take(entry: unknown): void {
    const [command, action, settings] = Array.from((entry ?? []) as ArrayLike<unknown>);
    if (command !== "consent" || !settings || ours.has(entry as object)) return;
    for (const type of Object.values(TYPES).flat()) {
      const value = (settings as Settings)[type];
      if (value === undefined) continue;
      const isGranted = value === "granted";
      held.set(type, action === "default" && held.has(type) ? held.get(type)! && isGranted : isGranted);
    }
    // A default is what holds before anybody was asked: it is nobody's choice.
    hasSpoken ||= action === "update";
    if (hasSpoken) hear((Object.keys(TYPES) as Purpose[]).filter((purpose) => TYPES[purpose].every((type) => held.get(type))));
  }

  for (const entry of queue) take(entry);
  // Google's own scripts put a `push` of theirs here as well: each calls the one before it.
  const push = queue.push;
  queue.push = (...entries) => {
    const length = push.apply(queue, entries);
    for (const entry of entries) take(entry);
    return length;
  };

  return (granted) => {
    const settings = Object.fromEntries((Object.keys(TYPES) as Purpose[]).flatMap((purpose) => TYPES[purpose].map((type) => [type, granted.includes(purpose) ? "granted" : "denied"])));
    // Google reads `arguments` objects alone.
    const entry = (function (..._: unknown[]): IArguments {
      return arguments;
    })("consent", "update", settings);
    ours.add(entry);
    queue.push(entry);
  };
}
