/**
 * Events on their way to the Worker: at most `MOST` wait, are sent together, and again after a growing pause where the network or a busy Worker
 * did not take them. Each has an id by which the Worker counts it once, however often it comes.
 *
 * What could not be sent is kept for the next page, in local storage: that is only where the visitor agreed to something. When the page is left,
 * what was never sent goes as a beacon.
 */
import { newId } from "./ids.ts";
import type { Line } from "./tell.ts";
import type { Properties, ToldEvent } from "./types.ts";

/** An event in our own format (docs/events.md). */
export interface Outgoing {
  readonly type: ToldEvent["type"];
  readonly event?: string;
  readonly properties?: Properties;
  readonly messageId: string;
  readonly timestamp: number;
  readonly context: object;
}

export interface OutboxSetup {
  readonly line: Line;
  /** Runs what sends a batch in its turn: the order of these calls is that in which things were told. */
  turn<T>(ask: () => Promise<T>): Promise<T>;
  /** Sends what `line.body` made. Rejects with the answer as the `cause` where there is one. */
  send(body: object): Promise<unknown>;
  /** Whether an event may be told: of a visitor who agreed to something (`all`), or `counted` without them. May reject. */
  may(event: Outgoing): Promise<"all" | "counted" | undefined>;
  fail(cause: unknown): void;
}

export interface Outbox {
  /**
   * Resolves when the event is kept, or it is known that it is not, or not yet. Never rejects. One that is `patient` goes along with the next
   * that is not, or after some seconds, or when the page is hidden: it resolves at once.
   */
  add(event: Omit<Outgoing, "messageId" | "timestamp"> & Partial<Outgoing>, patient?: boolean): Promise<void>;
  /** Sends now what was just told, before what is told next. What waits for better times goes on waiting. */
  flush(): void;
  /** Forgets what waits. */
  clear(): void;
  /** The last of what was told, the newest last. */
  events(): readonly ToldEvent[];
}

/** How many events wait at most: the oldest are lost then. */
const MOST = 100;
/** What a browser sends while a page is left, in characters: the limit of beacons is 64 KiB of UTF-8, all under way together. */
const MOST_BEACON = 20_000;
/** How long something patient waits for company. */
const PATIENCE_MS = 3000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** How many are remembered for `events()`. */
const REMEMBERED = 50;
/** Each page keeps its own events, so that no tab takes away another one's. */
const KEY = "idoine_outbox.";

/** An event in the box, and what became of it. */
interface Item {
  readonly event: Outgoing;
  status: ToldEvent["status"];
  /** Whether it was sent before, so that it may have come. */
  isTried: boolean;
  /** Whether it may be kept for another page: nothing is stored of who agreed to nothing. */
  mayBeKept: boolean;
}

/** What can be done later may go well then: nothing was answered, or that there is too much or something broken. */
const isPassing = ({ cause }: { cause?: Response }): boolean => !cause?.status || cause.status === 429 || cause.status >= 500;

/** Seconds that an answer asks to wait. */
const asked = ({ cause }: { cause?: Response }): number => Number(cause?.headers?.get("retry-after")) || 0;

/** Storage may be refused with an exception. */
function storage<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}

/** The keys of all pages. */
const keys = (storage: Storage): string[] => Object.keys(storage).filter((key) => key.startsWith(KEY));

/** What all pages have kept; what can't be read is nothing. */
function kept(storage: Storage): Outgoing[] {
  return keys(storage).flatMap((key) => {
    try {
      return (JSON.parse(storage.getItem(key)!) as Outgoing[]).filter((one) => one.messageId);
    } catch {
      return [];
    }
  });
}

/** Forgets what all pages have kept. */
const forget = (): unknown => storage((storage) => keys(storage).forEach((key) => storage.removeItem(key)));

export function createOutbox({ line, turn, send, may, fail }: OutboxSetup): Outbox {
  let waiting: Item[] = [];
  let log: Item[] = [];
  let flushing: Promise<unknown> | undefined;
  const key = KEY + newId();
  let pause = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let patience: typeof timer;
  /** The last batch that was sent; and how often all was forgotten. */
  let sent: Promise<void> | undefined;
  let forgotten = 0;

  function put(event: Outgoing, isTried: boolean): Item {
    const item: Item = { event, status: "waiting", isTried, mayBeKept: isTried };
    log = [...log, item].slice(-REMEMBERED);
    return item;
  }

  function wait(items: readonly Item[]): void {
    waiting.push(...items);
    for (const lost of waiting.splice(0, waiting.length - MOST)) lost.status = "failed";
  }

  function settle(items: readonly Item[], status: Item["status"]): void {
    for (const item of items) item.status = status;
  }

  /** Sends all that waits. */
  function flush(): Promise<void> {
    clearTimeout(timer);
    clearTimeout(patience);
    timer = patience = undefined;
    flushing = undefined;
    // So many that they may be sent while the page is left.
    let size = 0;
    const end = waiting.findIndex(({ event }, at) => (size += JSON.stringify(event).length) > MOST_BEACON && at > 0);
    const items = waiting.splice(0, end < 0 ? waiting.length : end);
    const before = forgotten;
    if (items.length) sent = turn(() => ship(items, before));
    return sent ?? Promise.resolve();
  }

  /** Those of them that may be told. May reject. */
  async function allowed(items: readonly Item[]): Promise<Item[]> {
    const agreed: Item[] = [];
    for (const item of items) {
      const granted = await may(item.event);
      item.mayBeKept = granted === "all";
      if (granted) agreed.push(item);
      else item.status = "refused";
    }
    return agreed;
  }

  /** Sends these, as far as they may be told. Never rejects. */
  async function ship(items: readonly Item[], before: number): Promise<void> {
    // As long as it is not known what may be told, all of it waits.
    let agreed = items;
    try {
      agreed = await allowed(items);
      if (!agreed.length) return keep();
      for (const item of agreed) item.isTried = true;
      await send(await line.body(agreed.map(({ event }) => event)));
      settle(agreed, "sent");
      pause = 0;
      keep();
      // What did not go along.
      if (waiting.length > 0 && timer === undefined && patience === undefined) void flush();
    } catch (cause) {
      fail(cause);
      // What was forgotten meanwhile is not to be told of whoever is here now.
      if (!isPassing(cause as object) || before !== forgotten) return settle(agreed, "failed");
      // In the order in which they were done, whichever batch came back first.
      const all = [...agreed, ...waiting].sort((one, other) => one.event.timestamp - other.event.timestamp);
      waiting = [];
      wait(all);
      pause = Math.min(Math.max(pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
      clearTimeout(timer);
      // Not all of a site's pages at once, when its Worker is there again.
      timer = setTimeout(flush, Math.max(pause * (0.5 + Math.random() / 2), asked(cause as object) * 1000));
      keep();
    }
  }

  /** Keeps for another page what could not be sent. */
  function keep(): void {
    const events = waiting.filter(({ isTried, mayBeKept }) => isTried && mayBeKept).map(({ event }) => event);
    storage((storage) => (events.length ? storage.setItem(key, JSON.stringify(events)) : storage.removeItem(key)));
  }

  /** Tries again what waits for better times. */
  function retry(): void {
    if (timer !== undefined) void flush();
  }

  /** The page is left: what was never sent goes now, whether or not anybody hears of it. */
  async function leave(): Promise<void> {
    const fresh = waiting.filter(({ isTried }) => !isTried);
    waiting = waiting.filter(({ isTried }) => isTried);
    const before = forgotten;
    const items = await allowed(fresh);
    if (!items.length || before !== forgotten) return;
    const body = JSON.stringify(await line.body(items.map(({ event }) => event)));
    if (body.length < MOST_BEACON && navigator.sendBeacon?.(line.address("collect"), body)) return settle(items, "sent");
    for (const item of items) item.isTried = true;
    wait(items);
    keep();
  }

  /** Sends what is patient, unless it is known that nothing gets through. */
  function hasten(): void {
    patience = undefined;
    if (timer === undefined) void flush();
  }

  addEventListener("online", retry);
  addEventListener("visibilitychange", () => patience !== undefined && document.visibilityState === "hidden" && hasten());
  addEventListener("pagehide", () => void leave().catch(fail));

  /** What earlier pages could not send. */
  async function takeOver(): Promise<void> {
    const events = storage(kept) ?? [];
    const before = forgotten;
    const granted = events.length ? await may(events[0]!) : undefined;
    forget();
    if (granted !== "all" || before !== forgotten) return;
    wait(events.map((event) => put(event, true)));
    // This page may be left, too, before they are sent.
    keep();
    if (timer === undefined) await flush();
  }
  takeOver().catch(fail);

  return {
    async add(event, patient) {
      wait([put({ messageId: newId(), timestamp: Date.now(), ...event }, false)]);
      // While it is known that nothing gets through, nothing is tried.
      if (timer !== undefined) return;
      if (patient && document.visibilityState === "visible") {
        patience ??= setTimeout(hasten, PATIENCE_MS);
        return;
      }
      // What is told in one go is sent in one go.
      await (flushing ??= Promise.resolve().then(() => (flushing ? flush() : sent)));
    },
    flush() {
      if (timer === undefined) void flush();
    },
    clear() {
      forgotten += 1;
      settle(waiting, "failed");
      waiting = [];
      clearTimeout(timer);
      clearTimeout(patience);
      timer = patience = undefined;
      forget();
    },
    events: () =>
      log.map(({ event: { timestamp, type, event, properties }, status }) => ({ at: timestamp, type, ...(event && { event }), ...(properties && { properties }), status })),
  };
}
