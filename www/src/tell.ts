/**
 * What a page tells the Worker of its visitor: events, who they are, what they agreed to, and which decisions they saw. Nothing is told before they
 * agreed to something, but what a site counts without them.
 *
 * Each answer brings what is known of whoever the visitor was when it was asked for, so that one that came behind the answer to a log-in or
 * log-out would undo it: those wait for all that was sent before, and what is sent later waits for them. What still waits when the page is left
 * is sent then.
 */
import { onRoute } from "./navigation.ts";
import { watchExposures } from "./exposure.ts";
import { createOutbox, type Outgoing } from "./outbox.ts";
import type { Again } from "./follow.ts";
import type { Host } from "./page.ts";
import type { Capture, Consent, ConsentStatus, ExposureRule, Idoine, Profile, ToldEvent } from "./types.ts";

/** The way to the Worker. */
export interface Line {
  readonly consent: Consent;
  /** What may be told: `all`, or what is `counted` without the visitor. May reject. */
  agreed(): Promise<"all" | "counted" | undefined | unknown>;
  /** Where something below `/_idoine/` is, for what is sent while the page is left. */
  address(path: string): string;
  /** The body in which these events are sent. May reject. */
  body(events: readonly Outgoing[]): Promise<object>;
  /** Sends something to an address below `/_idoine/`; null takes away what is there. Rejects with the answer as the `cause` where there is one. */
  send(path: string, body?: unknown): Promise<unknown>;
}

/** How it is set up: as options of the client, or as attributes of the loader's element have it. */
export interface TellSettings {
  readonly capture?: string | readonly Capture[] | undefined;
  readonly exposure?: string | ExposureRule | undefined;
}

/** What is counted of nobody says what was done, and nothing of who did it. */
const COUNTED = ["page", "track", "exposure"];

/** What a page tells by itself. */
export type CaptureModule = typeof import("./capture/index.ts");

/** What tells. */
export type Teller = Pick<Idoine, "track" | "page" | "identify" | "group" | "profile" | "reset" | "observe"> & {
  readonly consent: Pick<Consent, "get" | "set">;
  events(): readonly ToldEvent[];
  stop(): void;
};

const done = (): void => {};

/** The exposure's rule, also as the text `0.5 1000`. */
function ruleOf(said: TellSettings["exposure"]): Required<ExposureRule> {
  const [share, ms] = typeof said === "string" ? said.split(" ").map(Number) : [said?.visible, said?.afterMs];
  return { visible: share! >= 0 && share! <= 1 ? share! : 0.5, afterMs: ms! >= 0 ? ms! : 1000 };
}

/** The teller over a line, which has slots decided `again`. `loadCapture`: loads what a page tells by itself. */
export function createTeller(host: Host, again: Again, line: Line, settings: TellSettings, loadCapture: () => Promise<CaptureModule>): Teller {
  let leaving: Promise<unknown>;
  /** Over when all that was sent is answered; and when the last log-in or log-out is. */
  let sent: Promise<unknown> | undefined;
  let changed = sent;

  /** Until the page is left. It may come back, and be left again. */
  function stay(): void {
    leaving = new Promise((resolve) => addEventListener("pagehide", resolve, { once: true }));
  }

  stay();
  addEventListener("pageshow", stay);

  function inTurn<T>(alone: boolean, ask: () => Promise<T>): Promise<T> {
    const mine = Promise.race([leaving, alone ? sent : changed]).then(ask);
    const over = mine.then(done, done);
    sent = Promise.all([sent, over]).then(done);
    if (alone) changed = over;
    return mine;
  }

  /** Sends, and has those slots decided anew that read what has changed by it. */
  async function send(path: string, body: unknown): Promise<unknown> {
    const answer = (await line.send(path, body)) as { slots?: readonly string[] };
    if (answer?.slots) void again(answer.slots);
    return answer;
  }

  const outbox = createOutbox({
    line,
    turn: (ask) => inTurn(false, ask),
    send: (body) => send("collect", body),
    may: async ({ type }) => {
      const agreed = await line.agreed();
      return agreed === "all" ? agreed : agreed && COUNTED.includes(type) ? "counted" : undefined;
    },
    fail: host.fail,
  });

  const tell = (type: Outgoing["type"], fields: object, patient?: boolean): Promise<void> =>
    outbox.add({ type, ...fields, context: { page: { url: location.href, referrer: host.referrer(), title: document.title } } }, patient);

  async function identity(body: unknown): Promise<void> {
    outbox.flush();
    try {
      await inTurn(true, async () => {
        if ((await line.agreed()) === "all") await send("identity", body);
      });
    } catch (cause) {
      host.fail(cause);
    }
  }

  const exposures = watchExposures(host, ruleOf(settings.exposure), {
    may: async () => !!(await line.agreed().catch(host.fail)),
    tell: (properties, at, messageId) => tell("exposure", { properties, timestamp: at, messageId }),
  });

  /** What holds now: what waits of who takes all back is forgotten, and who agrees sees from then on. */
  function heard({ granted }: Partial<ConsentStatus>): void {
    if (granted?.length === 0) outbox.clear();
    else exposures.look();
  }

  // A banner, the preference centre or a platform has been told.
  const chosen = (event: Event): void => heard((event as CustomEvent<ConsentStatus>).detail);
  document.addEventListener("idoine-consent", chosen);

  let endCapture = done;
  let stopped = false;
  const kinds = typeof settings.capture === "string" ? settings.capture.split(/[\s,]+/).filter(Boolean) : (settings.capture ?? []);
  const track: Teller["track"] = (event, properties) => tell("track", { event, properties });
  const page: Teller["page"] = (name, properties) => tell("page", { name, properties });
  const captured: Parameters<CaptureModule["start"]>[1] = { track: (event, properties, patient) => tell("track", { event, properties }, patient), page };
  if (kinds.length) loadCapture().then((module) => stopped || (endCapture = module.start(kinds, captured, onRoute)), host.fail);

  return {
    track,
    page,
    identify(userId, traits, token) {
      const told = tell("identify", { userId, traits });
      return token ? identity({ token }) : told;
    },
    group: (groupId, traits) => tell("group", { groupId, traits }),
    async reset() {
      outbox.flush();
      // What could not be sent would be told of whoever comes next.
      outbox.clear();
      await identity(null);
    },
    async profile() {
      if ((await line.agreed()) !== "all") return {};
      const { profile = {} } = (await line.send("profile")) as { profile?: Record<string, string> };
      return Object.fromEntries(Object.entries(profile).map(([path, text]) => [path.replace(/^profile\./, ""), text])) as Profile;
    },
    consent: {
      ...line.consent,
      async set(...choice) {
        const status = await inTurn(false, () => line.consent.set(...choice));
        heard(status);
        return status;
      },
    },
    observe: exposures.observe,
    events: outbox.events,
    stop() {
      stopped = true;
      document.removeEventListener("idoine-consent", chosen);
      exposures.stop();
      endCapture();
    },
  };
}
