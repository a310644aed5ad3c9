/** What has a page decided anew: a route change, the time, and what became known of the visitor. And leaving for another page. */
import { onRoute, pageOf } from "./navigation.ts";
import type { Host } from "./page.ts";
import type { Decision, Edit } from "./types.ts";

/** Has these slots decided anew, as far as they are on the page, and leaves all others as they are. Never rejects. */
export type Again = (slots: readonly string[]) => Promise<void>;

/** What the time has decided anew is not within this; where that instant is told again, it takes twice as long each time. */
const SOONEST_MS = 1000;
/** What is less than this is no instant but how long to wait: a page that many are sent alike tells it so. */
const INSTANTS = 1e9;
/** The longest time that a browser waits for. */
const LATEST_MS = 2 ** 31 - 1;

/** Decides for some slots of a page alone. */
export function createAgain(host: Host): Again {
  let asked = new Set<string>();
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    while (asked.size) {
      // What the whole page is being decided for may be from before that became known.
      await host.settled();
      const before = host.now();
      const slots = before.decisions.map(({ slot }) => slot).filter((slot) => asked.has(slot));
      asked = new Set();
      if (!slots.length || pageOf() !== pageOf(before.url)) continue;
      const answer = await host.decider.decide(location.href, host.referrer(), slots).catch((cause) => {
        // A slot that another program does not have any more.
        if (cause?.cause?.status !== 400) throw cause;
      });
      if (host.now() !== before) {
        for (const slot of slots) asked.add(slot);
        continue;
      }
      // Of another program what stays would be wrong.
      if (answer?.version !== before.version) {
        await host.decide();
        continue;
      }
      const isNew = ({ slot }: Decision | Edit): boolean => slots.includes(slot);
      const decided = answer.decisions.filter(isNew);
      const values = Object.fromEntries(Object.entries(before.values).filter(([slot]) => !slots.includes(slot)));
      host.take(
        {
          ...before,
          ...answer,
          selectors: { ...before.selectors, ...answer.selectors },
          decisions: before.decisions.map((old) => decided.find(({ slot }) => slot === old.slot) ?? old),
          edits: [...before.edits.filter((edit) => !isNew(edit)), ...answer.edits.filter(isNew)],
        },
        before.url,
        values,
      );
    }
  }

  function again(slots: readonly string[]): Promise<void> {
    for (const slot of slots) asked.add(slot);
    asking ??= ask()
      .catch(host.fail)
      .finally(() => {
        asking = undefined;
        if (asked.size) void again([]);
      });
    return asking;
  }

  return again;
}

/** Follows routes and the time. Returns a function that ends it. */
export function follow(host: Host): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let until: number | undefined;
  let pause = SOONEST_MS;
  let isOver = false;

  async function decide(): Promise<void> {
    const before = host.now();
    // A visitor who reads a page is not led away from it as a clock strikes.
    await host.decide(undefined, true);
    // Without an answer it is asked again.
    if (host.now() === before) watchTime();
  }

  function watchTime(): void {
    clearTimeout(timer);
    if (isOver) return;
    const told = host.now().until;
    const next = told && told < INSTANTS ? Date.now() + told : told;
    // What is over and told again is asked later and later: no answer came, or a clock runs ahead of the Worker's.
    pause = next && next === until && next <= Date.now() ? pause * 2 : SOONEST_MS;
    until = next;
    if (next) timer = setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", decide, { once: true }) : decide()), Math.min(Math.max(next - Date.now(), pause), LATEST_MS));
  }

  const unwatch = host.watch(watchTime);
  const leave = onRoute((previous) => void host.decide(previous), host.now().url);
  watchTime();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", decide);
    unwatch();
    leave();
  };
}
