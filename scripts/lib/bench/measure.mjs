// Measuring: batches of several contenders in turn, in one process, so that whatever disturbs the machine disturbs all of them.

/** The value below which this share of a sorted list lies. */
function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const above = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (above - sorted[below]) * (at - below);
}

/** Median and spread of some numbers. */
export function summary(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), p10: quantile(sorted, 0.1), p90: quantile(sorted, 0.9), batches: sorted.length };
}

/** What the contenders' answers flow into, so that no compiler may leave out their work. */
let sink = 0;

function batch(contender, items) {
  const start = process.hrtime.bigint();
  for (const item of items) sink = (sink + contender(item)) | 0;
  return Number(process.hrtime.bigint() - start) / 1000 / items.length;
}

/**
 * Runs every contender over the same items, round after round, each round beginning with another one.
 * @param {Record<string, (item: any) => number>} contenders a number that depends on the answer
 * @param {(round: number) => any[]} itemsOf the items of a round
 * @param {{warmMs: number, ms: number, least: number, most: number}} plan rounds are run for `ms`, but `least` of them at least
 * @returns {Record<string, number[]>} microseconds per item, for each round
 */
export function alternate(contenders, itemsOf, { warmMs, ms, least, most }) {
  const names = Object.keys(contenders);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (const warmUp of [true, false]) {
    const end = performance.now() + (warmUp ? warmMs : ms);
    for (let round = 0; round < most && (round < (warmUp ? 1 : least) || performance.now() < end); round++) {
      const items = itemsOf(round);
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(round + turn) % names.length];
        const took = batch(contenders[name], items);
        if (!warmUp) times[name].push(took);
      }
    }
  }
  return times;
}

/** How many times as long as the other one took: the median over rounds, each against its own round. */
export const ratio = (times, other) => summary(times.map((time, round) => time / other[round])).median;
