// What an isolate remembers for a while, so as not to work it out again.

/** A map of at most so many entries: beyond them it forgets those that came first. */
export class Memo extends Map {
  #most;

  constructor(most) {
    super();
    this.#most = most;
  }

  set(key, value) {
    super.set(key, value);
    if (this.size > this.#most) {
      this.delete(this.keys().next().value);
    }
    return this;
  }
}
