// What was sent to collect, and what became of it: an event is sent until it is acknowledged, under the same id, and counts once.
import { createHmac } from "node:crypto";

/** The reading by which events are counted, as the manifest of the soak test has it. */
export const COUNT = "profile.count('Product Viewed', '7d')";

/** The key by which ids are signed. */
export const KEY = "a key of the soak test";

/** The owner's token, by which profiles are read. */
export const TOKEN = "the-owners-token-of-the-soak-test";

/** A person's browser: what a bot does does not count. */
const AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** An account of events. */
export class Ledger {
  #visitors;
  /** Per visitor, the ids that were acknowledged. */
  #acknowledged;
  /** What is to be sent again: `{ visitor, id }`. */
  #owed = [];
  #made = 0;

  constructor(visitors) {
    this.#visitors = Array.from({ length: visitors }, (_, at) => `visitor-${String(at).padStart(4, "0")}`);
    this.#acknowledged = this.#visitors.map(() => new Set());
  }

  #headers(visitor) {
    const name = this.#visitors[visitor];
    const signature = createHmac("sha256", KEY).update(name).digest().subarray(0, 16).toString("base64url");
    return { cookie: `idoine_consent=v1.personalization.analytics; idoine_id=${name}.${signature}`, "user-agent": AGENT, "accept-language": "en-GB,en;q=0.9" };
  }

  /** The next request: what is owed first, else a new event. */
  next() {
    const event = this.#owed.shift() ?? { visitor: this.#made % this.#visitors.length, id: `event-${this.#made++}` };
    const headers = { ...this.#headers(event.visitor), "content-type": "application/json", origin: "https://shop.example", "sec-fetch-site": "same-origin" };
    return { event, path: "/_idoine/collect", method: "POST", headers, body: JSON.stringify({ events: [{ type: "track", event: "Product Viewed", messageId: event.id }] }) };
  }

  /**
   * Notes what an answer says of an event: whether it was taken. What was not is sent again.
   * @param {{ visitor: number, id: string }} event
   * @param {{ status?: number, body?: Buffer, broke?: string }} answer
   */
  note(event, { status, body, broke }) {
    const isTaken = status === 200 && broke === undefined && ["accepted", "duplicate"].includes(JSON.parse(body).results[0].status);
    if (isTaken) this.#acknowledged[event.visitor].add(event.id);
    else this.#owed.push(event);
    return isTaken;
  }

  /** How many events are still to be sent again. */
  get owed() {
    return this.#owed.length;
  }

  /** How many events were acknowledged. */
  get acknowledged() {
    return this.#acknowledged.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * What differs between what was acknowledged and what `read` says of each visitor's profile: `{ visitor, acknowledged, counted }`.
   * @param {(request: { path: string, headers: Record<string, string> }) => Promise<Record<string, string>>} read the readings of a profile
   */
  async differences(read) {
    const found = [];
    for (const [visitor, { size }] of this.#acknowledged.entries()) {
      const counted = Number((await read({ path: `/_idoine/api/profile/a:${this.#visitors[visitor]}`, headers: { authorization: `Bearer ${TOKEN}` } }))[COUNT] ?? 0);
      if (counted !== size) found.push({ visitor, acknowledged: size, counted });
    }
    return found;
  }
}
