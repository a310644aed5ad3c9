/** Who keeps the choice and the data: the page's client where there is one, else the Worker that this file is from. */
import { call, remoteLine } from "../remote.ts";
import type { ConsentStatus, Consent, Idoine, Notice, Purpose } from "../types.ts";

/** Told on the document whenever a choice was made here: its `detail` is what holds now. */
export const CHOSEN = "idoine-consent";

let found: Promise<Consent> | undefined;

/** The Worker that the loader was told of; the one before this site where it was told of none. */
const apiOf = (): string | undefined => document.querySelector<HTMLElement>("script[data-api]")?.dataset.api;

/** The same with what asks the Worker for the visitor's rights. */
const asking = (consent: Consent, api: string | undefined): Consent => Object.assign(consent, { ask: call.bind(null, api) as NonNullable<Consent["ask"]> });

/** The page's way to the choice. */
export function keeper(): Promise<Consent> {
  const client = window.idoine as Partial<Idoine> & ((job: (client: Idoine) => void) => void) | undefined;
  // The loader may still be on its way: the queue hands over the client when it is there.
  found ??= client
    ? new Promise((resolve) => client(({ consent }) => resolve(consent.local ? consent : asking(consent, apiOf()))))
    : Promise.resolve(asking(remoteLine(import.meta.url).consent, import.meta.url));
  return found;
}

/** What was told of the site last: answers to a choice leave it out. */
let notice: Notice | undefined;

/** What holds, and what visitors are told. */
export interface Known {
  readonly status: ConsentStatus;
  readonly notice: Notice;
}

function known(status: ConsentStatus): Known {
  notice = status.notice ?? notice;
  const plain: Notice = { mode: "opt-in", version: 1, purposes: (["personalization", "analytics", "marketing"] as const).map((name) => ({ name })) };
  return { status, notice: { ...plain, ...notice, ...(!notice?.purposes.length && { purposes: plain.purposes }) } };
}

export async function read(): Promise<Known> {
  return known(await (await keeper()).get());
}

/** Records what the visitor chose of what they were told, and tells the page. */
export async function choose(granted: readonly Purpose[], { version }: Notice): Promise<Known> {
  const status = await (await keeper()).set(granted, { version, by: "visitor" });
  announce(status);
  return known(status);
}

export function announce(status: ConsentStatus): void {
  document.dispatchEvent(new CustomEvent<ConsentStatus>(CHOSEN, { detail: status }));
}

/** Whether the browser itself refuses a purpose for its person. */
export const isBarred = (purpose: Purpose, { signals }: ConsentStatus): boolean => !!signals?.gpc && purpose !== "analytics";
