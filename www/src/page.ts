/**
 * One page's decisions: asks for them, shows them, follows route changes, tells who subscribed.
 * Where decisions come from is a `Decider`: the Worker (remote.ts) or the engine in this page (local.ts).
 *
 * Whatever fails, the page is left as it was and nothing is thrown at it; `debug().error` says what happened.
 */
import { createRenderer } from "./dom.ts";
import { leaveFor, onRoute } from "./navigation.ts";
import type { Answer, Consent, Decision, Edit, Idoine, Mode, State } from "./types.ts";

/** Where decisions come from. */
export interface Decider {
  readonly mode: Mode;
  readonly consent: Consent;
  /** Decides for a page. May reject. */
  decide(url: string, referrer: string): Promise<Answer>;
  /** Sends an address below `/_idoine/` something of the visitor, if they agreed to anything; null takes away what is there. May reject. */
  send(path: string, body: unknown): Promise<void>;
}

const done = (): void => {};

type Listener = (...news: never[]) => void;

/** Reads what the edge has left in the page. A damaged state counts as none. */
export function readState(): State | undefined {
  try {
    const state = JSON.parse(document.querySelector("script#idoine-state")!.textContent!) as Partial<State>;
    if ((state.decisions as any).find) return state as State;
  } catch {}
}

/**
 * The client over a decider. Behind the Worker the page already shows its decisions; elsewhere they are asked for at once.
 * What the edge wrote has no baseline here: it stays until the page itself replaces it.
 * `auto` false: nothing is decided until `decide()` is called, and route changes are not followed.
 */
export function createPage(decider: Decider, auto: boolean): Idoine {
  const state = decider.mode === "edge" ? readState() : undefined;
  const show = createRenderer();
  const watchers = new Set<() => void>();
  let version = state?.version ?? "";
  let decisions: readonly Decision[] = state?.decisions ?? [];
  let values = { __proto__: null, ...state?.values } as Readonly<Record<string, unknown>>;
  let edits: readonly Edit[] = [];
  let referrer = document.referrer;
  let error: string | undefined;
  let latest = 0;
  /** Over when all that was sent is answered; and when the last log-in or log-out is. */
  let sent: Promise<unknown> | undefined;
  let changed = sent;
  let leaving: Promise<unknown>;

  function take(answer: Answer): void {
    const fresh = { __proto__: null } as unknown as Record<string, unknown>;
    for (const edit of answer.edits) if (edit.op === "json") fresh[edit.slot] = JSON.parse(edit.value ?? "null");
    show(answer.edits);
    ({ version, decisions, edits } = answer);
    values = fresh;
    for (const watcher of watchers) watcher();
  }

  /** Asks and shows. `moved`: the route changed, so that without an answer the old route's content must not stay. */
  async function decide(moved = false): Promise<readonly Decision[]> {
    const mine = ++latest;
    try {
      const answer = await decider.decide(location.href, referrer);
      // A later question has overtaken this one.
      if (mine !== latest) return decisions;
      take(answer);
      error = undefined;
      const away = answer.edits.find((edit) => edit.op === "redirect")?.value;
      if (away) await leaveFor(away);
    } catch (cause) {
      error = String(cause);
      if (moved && mine === latest) take({ version, decisions: [], edits: [] });
    }
    return decisions;
  }

  /** Until the page is left. It may come back, and be left again. */
  function stay(): void {
    leaving = new Promise((resolve) => addEventListener("pagehide", resolve, { once: true }));
  }

  stay();
  addEventListener("pageshow", stay);

  /**
   * Asks in its turn. Each answer brings what is known of whoever the visitor was when it was asked for, so that one that came behind the
   * answer to a log-in or log-out would undo it: those wait for all that was sent before, and what is sent later waits for them. What still
   * waits when the page is left is sent then.
   */
  function inTurn<T>(alone: boolean, ask: () => Promise<T>): Promise<T> {
    const mine = Promise.race([leaving, alone ? sent : changed]).then(ask);
    const over = mine.then(done, done);
    sent = Promise.all([sent, over]).then(done);
    if (alone) changed = over;
    return mine;
  }

  const send = (path: string, body: unknown): Promise<void> =>
    inTurn(path === "identity", () => decider.send(path, body)).catch((cause) => {
      error = String(cause);
    });

  const tell = (type: string, fields: object): Promise<void> =>
    send("collect", { events: [{ type, ...fields, context: { page: { url: location.href, referrer, title: document.title } } }] });

  const decision = (slot: string): Decision | undefined => decisions.find((one) => one.slot === slot);

  function subscribe(slot: string | Listener, listener?: Listener): () => void {
    const news = (): unknown[] =>
      listener ? [decision(slot as string), values[slot as string]] : [decisions, values];
    let seen = JSON.stringify(news());
    const watcher = (): void => {
      const now = JSON.stringify(news());
      if (now === seen) return;
      seen = now;
      try {
        (listener ?? (slot as Listener))(...(news() as never[]));
      } catch (cause) {
        // The page's own mistake: it is told, and the other listeners are still called.
        console.error(cause);
      }
    };
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }

  const leave = auto
    ? onRoute((previous) => {
        referrer = previous;
        void decide(true);
      })
    : undefined;

  return {
    ready: Promise.resolve(auto && decider.mode !== "edge" && decide()).then(done),
    decisions: () => decisions,
    decision,
    value: <T>(slot: string) => values[slot] as T | undefined,
    subscribe,
    decide: () => decide(),
    track: (event, properties) => tell("track", { event, properties }),
    page: (name, properties) => tell("page", { name, properties }),
    identify(userId, traits, token) {
      const told = tell("identify", { userId, traits });
      return token ? send("identity", { token }) : told;
    },
    reset: () => send("identity", null),
    consent: {
      ...decider.consent,
      set: (...choice) => inTurn(false, () => decider.consent.set(...choice)),
    },
    debug: () => ({ version, decisions, edits, error, mode: decider.mode, url: location.href }),
    stop() {
      latest++;
      leave?.();
      show([]);
    },
  };
}
