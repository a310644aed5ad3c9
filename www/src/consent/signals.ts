/**
 * The signals chunk: listens to the consent platforms of a site, and records what holds by the ranking of rank.ts. Loaded where a platform is
 * configured, or the page connects one.
 */
import type { Consent, ConsentStatus, Idoine, Purpose } from "../types.ts";
import { google } from "./google.ts";
import { announce, CHOSEN, keeper } from "./host.ts";
import { ranked, type Voice } from "./rank.ts";
import { tcf } from "./tcf.ts";

/** What each connected platform says. */
const voices: Voice[] = [];
/** What tells platforms of a choice made with us. */
const tellers: ((granted: readonly Purpose[]) => void)[] = [];

let pending: ReturnType<typeof setTimeout> | undefined;
let last: Promise<unknown> = Promise.resolve();
let watched: Consent | undefined;

/** Connects a platform; what is returned takes what it says. */
function connected(): (voice: Voice) => void {
  const place = voices.push(undefined) - 1;
  return (voice) => {
    voices[place] = voice;
    soon();
  };
}

/** Several platforms may speak at once, and one several times. */
function soon(): void {
  clearTimeout(pending);
  pending = setTimeout(() => (last = last.then(settle).catch(console.error)), 50);
}

/** Records what holds, if it is something new. */
async function settle(): Promise<void> {
  const consent = await watch();
  const granted = ranked(await consent.get(), voices);
  if (granted) announce(await consent.set(granted, { by: "platform" }));
}

/** The page's consent, watched for choices that are made with us: platforms are told of those, and what they say is ranked anew. */
async function watch(): Promise<Consent> {
  const consent = await keeper();
  if (watched === consent) return consent;
  watched = consent;
  const { set } = consent;
  (consent as { set: Consent["set"] }).set = async (granted, details) => {
    const status = await set(granted, details);
    if (details?.by !== "platform") chosen(status);
    return status;
  };
  return consent;
}

/** Tells platforms what the visitor chose with us, and has what they say ranked behind it. */
function chosen(status: ConsentStatus): void {
  // What a platform recorded is the visitor's word too, as far as they refused something with us.
  if (!status.decided || !(status.by === "visitor" || status.own.length)) return;
  // No more than the other platforms grant: one is never told that it may do what another refuses.
  for (const tell of tellers) tell(ranked(status, voices) ?? status.granted);
  soon();
}

/** Listens to the platforms of these names: a list, or a text that separates them by spaces. */
export async function listen(platforms: string | readonly string[]): Promise<void> {
  const names = String(platforms).split(/[\s,]+/);
  if (names.includes("tcf")) tcf(connected());
  if (names.includes("google")) {
    tellers.push(google(connected()));
    chosen(await (await watch()).get());
  }
}

/** Connects a platform of the page's own: it is handed what takes the purposes that it was granted. */
export async function platform(connect: Parameters<NonNullable<Idoine["consent"]["platform"]>>[0]): Promise<void> {
  await watch();
  connect(connected());
}
