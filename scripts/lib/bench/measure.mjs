// Measuring: batches of several contenders in turn, so that whatever disturbs the machine disturbs all of them.

/** The value below which this share of a sorted list lies. */
export function quantile(sorted, share) {
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

/** How many times as long as the other one took: the median over rounds, each against its own round. */
export const ratio = (times, other) => summary(times.map((time, round) => time / other[round])).median;

/**
 * Every how many visitors a turn takes, so that it stays below `batchMs`: what is slow takes some of them in each round, and all of
 * them over the rounds.
 */
async function stride(turn, visitors, { batchMs }) {
  const tried = Math.max(1, Math.floor(visitors / 10));
  const us = await turn(0, tried);
  return Math.min(Math.max(1, Math.ceil((us * visitors) / 1000 / batchMs)), visitors);
}

/**
 * Runs every turn, round after round, each round beginning with another one.
 * @param {Record<string, (first: number, every: number) => Promise<number>>} turns microseconds per visitor, of every so many of the
 * visitors from the first on
 * @param {number} visitors how many there are
 * @param {{warmMs: number, ms: number, least: number, most: number, batchMs: number}} plan rounds are run for `ms`, but `least` at least
 * @returns {Promise<Record<string, number[]>>} microseconds per visitor, for each round
 */
export async function alternate(turns, visitors, plan) {
  const names = Object.keys(turns);
  const strides = {};
  for (const name of names) strides[name] = await stride(turns[name], visitors, plan);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (const warmUp of [true, false]) {
    const end = performance.now() + (warmUp ? plan.warmMs : plan.ms);
    for (let round = 0; round < plan.most && (round < (warmUp ? 1 : plan.least) || performance.now() < end); round++) {
      for (let place = 0; place < names.length; place++) {
        const name = names[(round + place) % names.length];
        const took = await turns[name](round % strides[name], strides[name]);
        if (!warmUp) times[name].push(took);
      }
    }
  }
  return times;
}
