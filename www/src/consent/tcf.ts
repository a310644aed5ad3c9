/** The Transparency and Consent Framework of IAB Europe, version 2.2: what a platform tells by `__tcfapi`. */
import type { Purpose } from "../types.ts";
import type { Voice } from "./rank.ts";

/** The framework's purposes that each of ours needs: all of them. 1 is storing on the device; it comes with each. */
const NEEDED: Readonly<Record<Purpose, readonly number[]>> = { personalization: [1, 5, 6], analytics: [1, 8], marketing: [1, 3, 4] };

/** What a platform tells, as far as it is read. */
interface TcData {
  readonly eventStatus?: "tcloaded" | "cmpuishown" | "useractioncomplete";
  readonly gdprApplies?: boolean;
  readonly purpose?: { readonly consents?: Readonly<Record<number, boolean>> };
}

interface WithApi {
  __tcfapi?: (command: "addEventListener", version: 2, callback: (data: TcData | null, success: boolean) => void) => void;
}

/** Platforms put their interface there at once, most of them; after so many looks there is taken to be none. */
const LOOKS = 40;
const PAUSE_MS = 250;

/** Listens to the platform, and calls back with what is granted there. */
export function tcf(hear: (voice: Voice) => void, looks = LOOKS): void {
  const api = (window as WithApi).__tcfapi;
  if (!api) {
    if (looks > 0) setTimeout(() => tcf(hear, looks - 1), PAUSE_MS);
    return;
  }
  api("addEventListener", 2, (data, success) => {
    // While the platform asks, what was answered before still holds.
    if (!success || !data || (data.gdprApplies !== false && data.eventStatus === "cmpuishown")) return;
    hear(voiceOf(data));
  });
}

/**
 * What is granted. Where the platform says that the law does not apply, it asked nobody: nothing is granted by that, and nothing refused.
 */
function voiceOf({ gdprApplies, purpose }: TcData): Voice {
  if (gdprApplies === false) return undefined;
  const consents = purpose?.consents ?? {};
  return (Object.keys(NEEDED) as Purpose[]).filter((name) => NEEDED[name].every((number) => consents[number] === true));
}
