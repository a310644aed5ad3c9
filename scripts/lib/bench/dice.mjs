// Chance that falls the same way on every machine and in every run.

/** A generator of numbers from a seed (Mulberry32), and what the workload draws with it. */
export class Dice {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit`, exclusive. */
  below(limit) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** True in so many cases of a hundred. */
  percent(share) {
    return this.below(100) < share;
  }

  /** One of a list. */
  of(list) {
    return list[this.below(list.length)];
  }

  /** One of a list of [weight, thing]. */
  weighted(list) {
    let left = this.below(list.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, thing] of list) {
      left -= weight;
      if (left < 0) return thing;
    }
    return list[list.length - 1][1];
  }

  /** The list in another order (Fisher and Yates). */
  shuffled(list) {
    const result = [...list];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [result[last], result[other]] = [result[other], result[last]];
    }
    return result;
  }

  /** So many different ones of a list. */
  some(count, list) {
    return this.shuffled(list).slice(0, count);
  }
}
