// Numbers that look random and follow from a seed.

/** Mulberry32: a small generator of good enough 32-bit numbers. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Whatever the tests draw at random: the same on every machine and in every run. */
export class Dice {
  #next: () => number;

  constructor(seed: number) {
    this.#next = generator(seed);
  }

  /** An integer from 0 to `below`, exclusive. */
  below(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below);
  }

  /** True in so many cases of a hundred. */
  percent(share: number): boolean {
    return this.below(100) < share;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  weighted<T extends { weight: number }>(list: readonly T[]): T {
    let left = this.below(list.reduce((sum, item) => sum + item.weight, 0));
    for (const item of list) {
      left -= item.weight;
      if (left < 0) return item;
    }
    return list[list.length - 1]!;
  }

  /** An id in the form of a random UUID. */
  uuid(): string {
    const hex = Array.from({ length: 8 }, () => this.below(65536).toString(16).padStart(4, "0"));
    return `${hex[0]}${hex[1]}-${hex[2]}-4${hex[3]!.slice(1)}-8${hex[4]!.slice(1)}-${hex[5]}${hex[6]}${hex[7]}`;
  }
}
