/**
 * What each kind of capture is given: how it listens, how it hears of views of the page, and how it tells. What is thrown in a kind never reaches
 * the page, and once capture has ended nothing of it listens any more.
 */
import { address, path, text, tidy, type Facts } from "./text.ts";

/** Whom events are told. */
export interface Tell {
  /** `patient`: it may be sent with what is told later. */
  track(event: string, properties?: Facts, patient?: boolean): unknown;
  page(name?: string, properties?: Facts): unknown;
}

/** Calls back with the previous address on every route change; what it returns ends that. */
export type OnRoute = (listener: (previous: string) => void) => () => void;

/** One view of a page: the document's, or a route's of a single-page application. */
export interface View {
  readonly path: string;
  /** Whether the document was there before: its route changed, or it came back by the browser's back button. */
  readonly virtual: boolean;
  /** Where the view before it was: host and path, of the document's first view what the browser says. Empty where nobody knows. */
  readonly referrer: string;
}

/** How a view is left: the window is hidden (and may be shown again), the document goes, or the route changes. */
export type Leaving = "hidden" | "gone" | "route";

export interface Scope {
  /** The view that is told of. After a route change it is the old one until its `onLeave` has been called. */
  readonly view: View;
  track(event: string, properties?: Facts): void;
  /** Tells what no next page is decided by, so that it may be sent with what is told later. */
  note(event: string, properties?: Facts): void;
  page(properties: Facts): void;
  /** Listens to these types, passively and before the page does. What happens within `data-idoine-private` is not heard of. */
  on(target: EventTarget, types: string, listener: (event: any) => void): void;
  /** Calls back for the present view once the page has shown it, at once where it has, and for each later one. */
  onView(listener: () => void): void;
  onLeave(listener: (how: Leaving) => void): void;
  /** Runs it, and keeps what it throws from the page. Does nothing once capture has ended. */
  safely(run: () => void): void;
  /** Whether this is heard for the first time in this view. */
  isFirst(what: string): boolean;
  /** Whether the document was loaded again, or gone back to, and this is its first view. */
  readonly isReloaded: boolean;
  /** Calls back later, unless capture has ended by then. What is returned takes it back. */
  later(ms: number, run: () => void): () => void;
  onEnd(run: () => void): void;
}

/** A route is shown, and its title set, some moments after its address has changed. A route that is left sooner was seen by nobody. */
const SETTLED_MS = 50;

/** What is remembered of one view. */
const MOST_HEARD = 500;

/** What comes of telling is for whoever was told to say. */
const quietly = (result: unknown): void => void (result as Promise<unknown> | undefined)?.catch?.(() => {});

/** The scope, what opens the first view when all kinds listen, and what ends it all. */
export function createScope(tell: Tell, onRoute: OnRoute): { scope: Scope; begin: () => void; end: () => void } {
  const ending = new AbortController();
  const { signal } = ending;
  const viewed: (() => void)[] = [];
  const left: ((how: Leaving) => void)[] = [];
  let view: View = { path: path(), virtual: false, referrer: address(document.referrer) };
  let pending: (() => void) | undefined;
  let hasBegun = false;
  let heard = new Set<string>();

  /** Nothing that goes wrong here is the page's business. */
  function safely(run: () => void): void {
    if (signal.aborted) return;
    try {
      run();
    } catch {}
  }

  function said(event: string, properties: Facts = {}, patient?: boolean): void {
    const name = text(event);
    if (name) quietly(tell.track(name, tidy(properties), patient));
  }

  const scope: Scope = {
    get view() {
      return view;
    },
    track: (event, properties) => said(event, properties),
    note: (event, properties) => said(event, properties, true),
    page: (properties) => quietly(tell.page(undefined, tidy(properties))),
    on(target, types, listener) {
      const hear = (event: Event): void => {
        safely(() => {
          if (!event.composedPath().some((node) => node instanceof Element && node.matches("[data-idoine-private]"))) listener(event);
        });
      };
      for (const type of types.split(" ")) target.addEventListener(type, hear, { capture: true, passive: true, signal });
    },
    safely,
    isFirst: (what) => heard.size < MOST_HEARD && heard.size < heard.add(what).size,
    get isReloaded() {
      return !view.virtual && /reload|back/.test(performance.getEntriesByType("navigation")[0]?.type ?? "");
    },
    onView(listener) {
      viewed.push(listener);
      if (hasBegun && !pending) safely(listener);
    },
    onLeave: (listener) => left.push(listener),
    later(ms, run) {
      const timer = setTimeout(() => safely(run), ms);
      return () => clearTimeout(timer);
    },
    onEnd: (run) => signal.addEventListener("abort", run, { once: true }),
  };

  /** Tells of the view that is open now, if nobody has yet. */
  function settle(): void {
    pending?.();
    if (pending) for (const listener of viewed) safely(listener);
    pending = undefined;
  }

  function open(next: View): void {
    pending?.();
    view = next;
    heard = new Set();
    pending = scope.later(SETTLED_MS, settle);
  }

  function leave(how: Leaving): void {
    // What waits is told before it is too late. A route that made way at once was not seen.
    if (how !== "route") settle();
    for (const listener of left) safely(() => listener(how));
  }

  const end = onRoute((previous) => {
    if (signal.aborted) return;
    // A view that nobody saw is not where somebody came from.
    const referrer = pending ? view.referrer : address(previous);
    if (!pending) leave("route");
    open({ path: path(), virtual: true, referrer });
  });

  return {
    scope,
    begin() {
      // On the window and before it reaches the document: whoever sends events when the page is left hears of it later than we do.
      scope.on(window, "visibilitychange", () => document.visibilityState === "hidden" && leave("hidden"));
      scope.on(window, "pagehide", () => leave("gone"));
      scope.on(window, "pageshow", (event: PageTransitionEvent) => event.persisted && open({ ...view, virtual: true }));
      hasBegun = true;
      pending = () => {};
      settle();
    },
    end() {
      end();
      ending.abort();
    },
  };
}
