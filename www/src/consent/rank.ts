/**
 * What holds where consent platforms have a say. This is the one place that says it; docs/consent.md has it as a table.
 *
 * 1. What the browser refuses for its person (GPC) is granted by nobody. The Worker and the engine see to that.
 * 2. What the visitor refused or took back with us stays so, whatever a platform says.
 * 3. Of the platforms that have spoken, all must grant a purpose. One that has not is not asked.
 * 4. Where none has spoken, what was chosen with us, or nothing.
 */
import { PURPOSES } from "../choice.ts";
import type { ConsentStatus, Purpose } from "../types.ts";

/** What a platform was granted; `undefined` until it has spoken. */
export type Voice = readonly Purpose[] | undefined;

/** The purposes to record, in the platforms' name; `undefined` where there is nothing new to record. */
export function ranked(status: ConsentStatus, voices: readonly Voice[]): Purpose[] | undefined {
  const spoken = voices.filter((voice) => voice !== undefined);
  if (!spoken.length) return undefined;
  // Barred by the browser is as good as not asked for: the answer would be the same, time and again.
  const isBarred = (purpose: Purpose): boolean => status.signals.gpc && purpose !== "analytics";
  const granted = PURPOSES.filter((purpose) => !status.own.includes(purpose) && !isBarred(purpose) && spoken.every((voice) => voice.includes(purpose)));
  const isSame = status.decided && PURPOSES.every((purpose) => granted.includes(purpose) === status.granted.includes(purpose));
  return isSame ? undefined : granted;
}
