// The queue EVENTS: each event a message of its own. A queue may deliver a message twice, and so may we: `messageId` tells.

/** The platform's limits: messages in a batch, bytes of one and of a batch; a message's own data come on top of its body. */
const MOST_EVENTS = 100;
const MOST_BYTES = 256_000;
const MOST_MESSAGE_BYTES = 128_000;
const OVERHEAD_BYTES = 150;

/** For so long events are gathered, in seconds. */
const SECONDS = 1;

const encoder = new TextEncoder();
const sizeOf = (json) => encoder.encode(json).length + OVERHEAD_BYTES;

export const queue = {
  isBound: ({ EVENTS }) => typeof EVENTS?.sendBatch === "function",

  limits: () => ({ events: MOST_EVENTS, bytes: MOST_BYTES, seconds: SECONDS, byDay: false, sizeOf }),

  /** Sends a batch; returns the events that no queue would ever take. */
  async send({ EVENTS }, rows) {
    const refused = rows.filter(({ json }) => sizeOf(json) > MOST_MESSAGE_BYTES);
    const messages = rows.filter(({ json }) => sizeOf(json) <= MOST_MESSAGE_BYTES).map(({ json }) => ({ body: JSON.parse(json), contentType: "json" }));
    if (messages.length > 0) {
      await EVENTS.sendBatch(messages);
    }
    return refused.map((row) => ({ row, why: "larger than a message of a queue can be" }));
  },
};
