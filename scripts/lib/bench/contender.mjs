// One who is measured, as the benchmark sees it: a process that takes orders (child.mjs) and is ended when it takes too long.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

/** It took longer than it was given. */
export class TooSlow extends Error {}

export class Contender {
  #process;
  #ended;
  #settle;

  constructor(name) {
    this.name = name;
    // Its output is no result of ours. Packages look at NODE_ENV: this is how they are used.
    this.#process = fork(CHILD, [], { env: { ...process.env, NODE_ENV: "production" }, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#process.on("message", (message) => this.#settle?.(message));
    this.#ended = new Promise((resolve) => {
      this.#process.on("exit", (code, signal) => {
        this.#settle?.({ error: `its process ended (${signal ?? `exit code ${code}`})` });
        resolve();
      });
    });
  }

  /**
   * Gives an order and waits for the answer.
   * @param {object} rest what belongs to the order
   * @param {number} limitMs after so long it is ended, and a TooSlow is thrown
   */
  async tell(order, rest = {}, limitMs = 600_000) {
    let timer;
    const answer = await new Promise((resolve) => {
      this.#settle = resolve;
      timer = setTimeout(() => resolve({ isSlow: true }), limitMs);
      this.#process.send({ order, ...rest }, (error) => error && resolve({ error: error.message }));
    });
    clearTimeout(timer);
    this.#settle = undefined;
    if (answer.isSlow) {
      await this.end();
      throw new TooSlow(`${this.name} took longer than ${Math.round(limitMs / 1000)} s`);
    }
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.answer;
  }

  async end() {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }
}
