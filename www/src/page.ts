/**
 * One page's decisions: asks for them, shows them, tells who subscribed. This is what every page loads; what goes on once it is shown (routes, the
 * time, what is told of the visitor) is `Live` (live.ts), which comes when the page has nothing better to do, or when it is called.
 * Where decisions come from is a `Decider`: the Worker (remote.ts) or the engine in this page (local.ts).
 *
 * Whatever fails, the page is left as it was and nothing is thrown at it; `debug().error` says what happened.
 */
import { createRenderer } from "./dom.ts";
import type { Live } from "./live.ts";
import type { Answer, Consent, Decision, Edit, Idoine, Mode, State } from "./types.ts";

/** Where decisions come from. */
export interface Decider {
  readonly mode: Mode;
  /** Decides for a page, or for these slots of it. May reject. */
  decide(url: string, referrer: string, slots?: readonly string[]): Promise<Answer>;
}

/** What is decided for the page as it is now. */
export interface Shown extends Answer {
  readonly values: Readonly<Record<string, unknown>>;
  /** The address that it was decided for. */
  readonly url: string;
}

/** The page, as what goes on in it knows it. */
export interface Host {
  readonly decider: Decider;
  now(): Shown;
  /**
   * Decides for the page as it is now. `from`: the route changed from there, so that without an answer the old route's content must not stay.
   * `stays`: the visitor is led to no other page.
   */
  decide(from?: string, stays?: boolean): Promise<unknown>;
  /** Over when nothing is being decided for the whole page. */
  settled(): Promise<unknown> | undefined;
  /** Shows what was decided for this address. `values`: those of slots that stay as they are. */
  take(answer: Answer, url: string, values?: Readonly<Record<string, unknown>>): void;
  /** The page that led here. */
  referrer(): string;
  /** Calls back whenever something was decided. Returns a function that ends it. */
  watch(watcher: () => void): () => void;
  /** Notes what went wrong. */
  fail(cause: unknown): void;
}

/** How a client is set up, wherever it runs. */
export interface Setup {
  /** False: nothing is decided until `decide()` is called, and neither route changes nor the time are followed. */
  readonly auto: boolean;
  /** What a server of the site has decided, and shown as far as it shows its slots itself: nothing is asked for until the route changes. */
  readonly state?: State | undefined;
  /** Loads what goes on in the page. */
  load(host: Host): Promise<Live>;
  /** What consent is besides reading and recording it. */
  readonly consent?: Partial<Consent> | undefined;
}

/** A page that is never idle has waited long enough after this. */
const IDLE_MS = 2000;

/** Where a page's client is kept: a tag that the Worker wrote and a package in the page's own code are one client, which shows each thing once. */
const KEPT = Symbol.for("idoine");

const TOLD = ["track", "page", "identify", "group", "profile", "reset"] as const;

const done = (): void => {};

type Listener = (...news: never[]) => void;

/** Reads what the edge has left in the page. A damaged state counts as none. */
export function readState(): State | undefined {
  try {
    const state = JSON.parse(document.querySelector("script#idoine-state")!.textContent!) as Partial<State>;
    if ((state.decisions as any).find) return state as State;
  } catch {}
}

const valuesOf = (values?: object): Record<string, unknown> => ({ __proto__: null, ...values });

/**
 * The client over a decider. Behind the Worker the page already shows its decisions; elsewhere they are asked for at once.
 * What the edge wrote has no baseline here: it stays until the page itself replaces it. Until it is stopped, the page has no other.
 */
export function createPage(decider: Decider, { auto, load, consent, state: given }: Setup): Idoine {
  const page = document as unknown as Record<symbol, Idoine | undefined>;
  const there = page[KEPT];
  if (there) return there;
  const { mode } = decider;
  const state = given ?? (mode === "edge" ? readState() : undefined);
  const show = createRenderer();
  const watchers = new Set<() => void>();
  let shown: Shown = {
    version: "",
    decisions: [],
    ...state,
    values: valuesOf(state?.values),
    // Those with a selector no stream can make: this page has to. The others are for the page's own code.
    edits: state?.edits ?? [],
    url: location.href,
  };
  let referrer = document.referrer;
  let error: string | undefined;
  let latest = 0;
  let loading: Promise<Live> | undefined;
  let live: Live | undefined;
  let stopped: boolean | undefined;
  /** The route changed, and nothing was shown for the new one yet. */
  let moved: boolean | undefined;
  let running: Promise<readonly Decision[]> | undefined;

  function fail(cause: unknown): void {
    error = String(cause);
  }

  function take(answer: Answer, url: string, old?: object): void {
    if (stopped) return;
    const values = valuesOf(old);
    for (const edit of answer.edits) if (edit.op === "json") values[edit.slot] = JSON.parse(edit.value ?? "null");
    if (answer.edits !== shown.edits) show(answer.edits);
    shown = { ...answer, values, url };
    moved = false;
    for (const watcher of watchers) watcher();
  }

  /** Asks and shows. */
  async function ask(from?: string, stays?: boolean): Promise<readonly Decision[]> {
    const mine = ++latest;
    const url = location.href;
    referrer = from ?? referrer;
    moved ||= from != null;
    try {
      const answer = await decider.decide(url, referrer);
      // A later question has overtaken this one.
      if (mine !== latest) return shown.decisions;
      take(answer, url);
      error = undefined;
      const away = answer.edits.find((edit) => edit.op === "redirect")?.value;
      if (away && !stays) await (await begin()).leaveFor(away);
    } catch (cause) {
      fail(cause);
      if (moved && mine === latest) take({ version: shown.version, decisions: [], edits: [] }, url);
    }
    return shown.decisions;
  }

  const decide: typeof ask = (from, stays) => (running = ask(from, stays));

  const host: Host = {
    decider,
    now: () => shown,
    settled: () => running,
    decide,
    take,
    referrer: () => referrer,
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    fail,
  };

  /** What goes on in the page. */
  async function begin(): Promise<Live> {
    try {
      live = await (loading ??= load(host));
      if (stopped) live.stop();
      return live;
    } catch (cause) {
      // Perhaps the network was away.
      loading = undefined;
      throw cause;
    }
  }

  /** What is told, by the names of its calls. */
  const told: Pick<Idoine, (typeof TOLD)[number]> = {} as any;
  for (const name of TOLD) {
    told[name] = (...args: any[]): Promise<any> =>
      begin()
        .then((live) => (live[name] as any)(...args))
        .catch((cause) => (fail(cause), {}));
  }

  const decision = (slot: string): Decision | undefined => shown.decisions.find((one) => one.slot === slot);

  function subscribe(slot: string | Listener, listener?: Listener): () => void {
    const news = (): unknown[] =>
      listener ? [decision(slot as string), shown.values[slot as string]] : [shown.decisions, shown.values, shown.edits];
    let seen = JSON.stringify(news());
    return host.watch(() => {
      const now = JSON.stringify(news());
      if (now === seen) return;
      seen = now;
      try {
        (listener ?? (slot as Listener))(...(news() as never[]));
      } catch (cause) {
        // The page's own mistake: it is told, and the other listeners are still called.
        console.error(cause);
      }
    });
  }

  (window.requestIdleCallback ?? setTimeout)(() => stopped || begin().catch(fail), { timeout: IDLE_MS } as IdleRequestOptions & number);
  show(shown.edits);

  const client: Idoine = (page[KEPT] = {
    ready: Promise.resolve(auto && !given && mode !== "edge" && decide()).then(done),
    decisions: () => shown.decisions,
    decision,
    value: (slot: string) => shown.values[slot] as any,
    subscribe: subscribe as Idoine["subscribe"],
    decide(options) {
      // Who asks after the end is shown what was asked for.
      stopped = false;
      return (options?.slots ? begin().then((live) => live.again(options.slots!)).catch(fail) : decide()).then(() => shown.decisions);
    },
    observe(slot, element) {
      const ending = begin().then((live) => live.observe(slot, element));
      ending.catch(fail);
      return () => void ending.then((end) => end(), done);
    },
    ...told,
    consent: {
      ...consent,
      get: async () => (await begin()).consent.get(),
      set: async (...choice) => (await begin()).consent.set(...choice),
    },
    debug: () => ({ ...shown, error, mode, url: location.href, events: live?.events() ?? [] }),
    stop() {
      latest++;
      stopped = true;
      live?.stop();
      show([]);
      if (page[KEPT] === client) page[KEPT] = undefined;
    },
  });
  return client;
}
