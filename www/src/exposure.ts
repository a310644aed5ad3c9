/**
 * Exposures: which decisions the visitor really saw. A slot counts as seen when half of it was in the window for one second while the page was
 * visible (`ExposureRule`); of what is larger than the window, half of the window. Once per page view, a route change begins another one.
 *
 * A slot without anything to look at (a data slot, content that was taken away or put in the element's place) is seen with the page.
 */
import { newId } from "./ids.ts";
import { pageOf } from "./navigation.ts";
import type { Host } from "./page.ts";
import type { Decision, ExposureRule, Properties } from "./types.ts";

export interface Exposures {
  /** Watches an element that the page's own code shows a slot in. Returns a function that ends it. */
  observe(slot: string, element: Element): () => void;
  /** Looks again at what is decided: what was not told before may be told now. */
  look(): void;
  stop(): void;
}

export interface ExposureSetup {
  /** Whether exposures may be told now. Rejects never. */
  may(): Promise<boolean>;
  /** Tells of a decision that was seen, at this time (epoch milliseconds), by an id that is the same for the same view of it. */
  tell(properties: Properties, at: number, messageId: string): unknown;
}

/** How finely it is noticed how much of an element is in the window. */
const STEPS = 20;

/** A decision that waits to be seen. */
interface Watched {
  readonly decision: Decision;
  /** The elements that show it; of none, the page stands for it. */
  readonly elements: readonly Element[];
  /** Those of them that are in the window. */
  readonly inView: Set<Element>;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

/** A decision that somebody got: of the others nothing is to be seen. */
const isShown = ({ experience, source }: Decision): boolean => experience !== null && source !== "baseline";

export function watchExposures(host: Host, { visible, afterMs }: Required<ExposureRule>, { may, tell }: ExposureSetup): Exposures {
  const own = new Map<string, Set<Element>>();
  let watched: Watched[] = [];
  let view = newId();
  let page = pageOf();
  /** What was told in this view of the page: keys of decisions; and when each experience was seen first. */
  let told = new Set<string>();
  let firsts = new Map<string, number>();
  let isLooking = false;

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio, intersectionRect, rootBounds, isIntersecting } of entries) {
        const { width, height } = intersectionRect;
        const fills = rootBounds ? (width * height) / (rootBounds.width * rootBounds.height) : 0;
        const isSeen = isIntersecting && (intersectionRatio >= visible || fills >= visible);
        for (const one of watched.filter(({ elements }) => elements.includes(target))) {
          if (isSeen) one.inView.add(target);
          else one.inView.delete(target);
          run(one);
          // A framework has made the element anew: its slot is looked for again.
          if (!target.isConnected) lookSoon();
        }
      }
    },
    { threshold: Array.from({ length: STEPS + 1 }, (_, step) => step / STEPS) },
  );

  const keyOf = ({ slot, experience, variant }: Decision): string => `${slot} ${experience} ${variant}`;

  /** Starts, or ends, the time after which a decision counts as seen. */
  function run(one: Watched): void {
    const isSeen = !document.hidden && (one.elements.length === 0 || one.inView.size > 0);
    if (isSeen === (one.timer !== undefined)) return;
    clearTimeout(one.timer);
    one.timer = isSeen ? setTimeout(() => seen(one), afterMs) : undefined;
  }

  async function seen(one: Watched): Promise<void> {
    const { slot, experience, variant, factor, source } = one.decision;
    const key = keyOf(one.decision);
    const { version } = host.now();
    const [mine, now] = [view, Date.now()];
    end(one);
    watched = watched.filter((other) => other !== one);
    // Who agrees later has seen it from then on.
    if (!(await may()) || mine !== view || told.has(key)) return;
    told.add(key);
    // What an experience shows in several slots was seen once: caps count by the instant.
    const at = firsts.get(experience!) ?? now;
    firsts.set(experience!, at);
    tell({ slot, experience, variant, ...(factor && { factor }), source, version }, at, `${view}.${hashOf(key)}`);
  }

  function end(one: Watched): void {
    clearTimeout(one.timer);
    for (const element of one.elements) if (!watched.some((other) => other !== one && other.elements.includes(element))) observer.unobserve(element);
  }

  function elementsOf(slot: string): readonly Element[] {
    const { edits, selectors } = host.now();
    const selector = selectors?.[slot] ?? edits.find((edit) => edit.slot === slot && edit.selector)?.selector;
    const handed = [...(own.get(slot) ?? [])].filter((element) => element.isConnected);
    if (handed.length) return handed;
    const find = (selector: string): Element[] => {
      try {
        // What an edit has hidden is seen with the page; what the page itself hides is not seen.
        return [...document.querySelectorAll(selector)].filter((element) => !element.hasAttribute("hidden"));
      } catch {
        return [];
      }
    };
    const marked = find(`[data-idoine-slot="${CSS.escape(slot)}"]`);
    return marked.length ? marked : selector ? find(selector) : [];
  }

  function look(): void {
    const { decisions, url } = host.now();
    const here = pageOf();
    // What is decided for the page before is not seen on this one.
    if (pageOf(url) !== here) return;
    if (here !== page) {
      page = here;
      view = newId();
      told = new Set();
      firsts = new Map();
    }
    const before = watched;
    watched = [];
    for (const decision of decisions.filter((one) => isShown(one) && !told.has(keyOf(one)))) {
      const elements = elementsOf(decision.slot);
      const same = before.find((one) => keyOf(one.decision) === keyOf(decision) && one.elements.length === elements.length && elements.every((element) => one.elements.includes(element)));
      // An element that is watched already says nothing as long as it stays where it is.
      const inView = elements.filter((element) => before.some((one) => one.inView.has(element)));
      watched.push(same ?? { decision, elements, inView: new Set(inView) });
    }
    for (const one of before) if (!watched.includes(one)) end(one);
    for (const one of watched) {
      for (const element of one.elements) observer.observe(element);
      run(one);
    }
  }

  /** When the page has done what it is at. */
  function lookSoon(): void {
    if (isLooking) return;
    isLooking = true;
    requestAnimationFrame(() => {
      isLooking = false;
      look();
    });
  }

  const turned = (): void => watched.forEach(run);
  document.addEventListener("visibilitychange", turned);
  const unwatch = host.watch(lookSoon);
  look();

  return {
    observe(slot, element) {
      const elements = own.get(slot) ?? new Set();
      own.set(slot, elements.add(element));
      lookSoon();
      return () => {
        elements.delete(element);
        lookSoon();
      };
    },
    look: lookSoon,
    stop() {
      document.removeEventListener("visibilitychange", turned);
      unwatch();
      observer.disconnect();
      for (const one of watched) clearTimeout(one.timer);
      watched = [];
    },
  };
}

/** FNV-1a, 32 bits: short, and the same for the same text. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const unit of text) hash = Math.imul(hash ^ unit.codePointAt(0)!, 0x01000193);
  return (hash >>> 0).toString(36);
}
