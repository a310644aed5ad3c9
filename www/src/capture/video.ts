/** How much of a video was played: begun, a quarter, half and three quarters of it, and to its end. */
import { mark } from "./markup.ts";
import type { Scope } from "./scope.ts";
import { address } from "./text.ts";

const STEPS = [25, 50, 75];

/** What was told of a video: its source, and how many steps. */
interface Told {
  readonly source: string;
  steps: number;
  isOver: boolean;
}

/** Seconds of it that were played, each counted once. */
function played({ played: ranges }: HTMLMediaElement): number {
  let sum = 0;
  for (let at = 0; at < ranges.length; at++) sum += ranges.end(at) - ranges.start(at);
  return sum;
}

export function video(scope: Scope): void {
  const known = new WeakMap<HTMLVideoElement, Told>();

  scope.on(document, "play timeupdate ended", ({ type, target }: Event) => {
    // What runs in a circle is decoration.
    if (!(target instanceof HTMLVideoElement) || target.loop) return;
    let told = known.get(target);
    if (told?.source !== target.currentSrc) {
      // Another source begins when it is played; a video that nobody knows may have begun before this was there.
      if (told && type !== "play") return;
      known.set(target, (told = { source: target.currentSrc, steps: 0, isOver: false }));
      tell("Video Playback Started", target, 0);
    }
    const { duration } = target;
    const percent = Number.isFinite(duration) ? (played(target) / duration) * 100 : 0;
    for (; told!.steps < STEPS.length && percent >= STEPS[told!.steps]!; told!.steps++) tell("Video Content Playing", target, STEPS[told!.steps]!);
    // Who leaps to the end has not seen it.
    if (type === "ended" && !told!.isOver && percent >= STEPS.at(-1)!) {
      told!.isOver = true;
      tell("Video Playback Completed", target, 100);
    }
  });

  function tell(event: string, element: HTMLVideoElement, percent: number): void {
    const { duration, currentSrc, title, id } = element;
    scope.note(event, { title: mark(element, "video") || title || element.getAttribute("aria-label") || id, source: address(currentSrc), percent, total_length: Math.round(duration * 10) / 10 });
  }
}
