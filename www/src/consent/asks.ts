/**
 * What loads the rest of consent: small, as the pages of all sites that ask have it, also for those who have chosen. Neither the banner nor what
 * listens to platforms is loaded before it has a use, and before the page has nothing better to do.
 */
import type { CentreOptions } from "../types.ts";

const loadConsent = () => import("./consent.js");
const loadSignals = () => import("./signals.js");

/** Whether the visitor has chosen in this version of the wording, as far as the cookie tells. */
const hasChosen = (version: string): boolean => new RegExp(`idoine_consent=v2\\S*\\.${version}\\.\\d+\\.[vp]`).test(document.cookie);

/** What a page asks for: the attributes of the loader's element. */
interface Page {
  /** The version of the wording in which the banner is to ask. */
  readonly consent?: string;
  /** The consent platforms that are listened to. */
  readonly platforms?: string;
}

type Connect = Parameters<Awaited<ReturnType<typeof loadSignals>>["platform"]>[0];

/**
 * What the loader calls for all of `consent.platform`, its own attributes and `consent.show`: connects a platform of the page's own, does what
 * the page asks for, or opens the preference centre over it.
 */
export async function open(of?: Connect | Page | CentreOptions): Promise<void> {
  if (typeof of === "function") await (await loadSignals()).platform(of);
  else if (of && ("consent" in of || "platforms" in of)) await begin(of);
  else await (await loadConsent()).show(of as CentreOptions);
}

/** Does what a page asks for: listens to its platforms, asks who has not chosen, and fills our elements. */
async function begin({ consent, platforms }: Page): Promise<void> {
  await new Promise((resolve) => (window.requestIdleCallback ?? setTimeout)(resolve));
  // Who is asked here is asked also where a platform can't be listened to.
  if (platforms) await loadSignals().then(({ listen }) => listen(platforms)).catch(console.error);
  const asks = Number(consent) > 0 && !hasChosen(consent!);
  if (asks || document.querySelector("idoine-consent,idoine-preferences")) await (await loadConsent()).ask(asks);
}
