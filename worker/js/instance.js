// The Wasm instance. A trap ends every Rust future in it: their promises never settle, and the only sign of it is an
// `error` event on the global scope. So each call races with the end of its instance; an instance that trapped is
// replaced at once, and what was in flight in it is rejected, which its caller turns into the origin's page.

import { countReplaced } from "./counters.js";
import { enrich } from "./enrichment.js";
import { log } from "./log.js";
import { projectionOf } from "./sealed.js";
import module from "../../dist/worker-pkg/index_bg.wasm";
import * as rust from "../../dist/worker-pkg/index.js";

const { __wbg_reset_state, handle, initSync } = rust;

let started = false;
let broken = false;
let number = 0;

/** The number of the instance: what one was told, the next one does not know. */
export const instance = () => number;

/** Rejecters of the calls in flight. */
const inFlight = new Set();

/** Makes sure that there is an instance to call; throws when there is none to be had. */
function ensure() {
  if (!started) {
    started = true;
    broken = true;
    initSync({ module });
    broken = false;
  } else if (broken) {
    __wbg_reset_state();
    broken = false;
    number += 1;
  }
}

/** Whether an error ended the instance, rather than only one call of it. */
function isFatal(error) {
  // A stack overflow in Wasm is a RangeError.
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

/** Replaces the instance and gives up what is in flight in it. */
function discard(error) {
  log("error", "instance_replaced", "the Wasm instance is replaced", { error });
  countReplaced();
  broken = true;
  // A callback of the old instance that comes later must not find the new one: the generated code checks that by the
  // instance's number, which the reset raises. So the reset can't wait until the next call.
  try {
    ensure();
  } catch (failure) {
    log("error", "no_instance", "there is no new Wasm instance", { error: failure });
  }
  for (const reject of inFlight) {
    reject(error);
  }
  inFlight.clear();
}

addEventListener("error", (event) => {
  // Futures run in microtasks of the generated code; nothing else here throws where no one catches.
  if (!/previous wasm instance/i.test(String(event.error))) {
    discard(event.error);
  }
});

addEventListener("unhandledrejection", (event) => {
  if (isFatal(event.reason)) {
    discard(event.reason);
  }
});

try {
  ensure();
} catch (error) {
  log("error", "no_instance", "there is no Wasm instance", { error });
}

/**
 * Calls what Rust exports, where that ends at once: `call` is given all of it. Throws when the instance traps; another one has taken its
 * place then.
 */
export function run(call) {
  ensure();
  try {
    return call(rust);
  } catch (error) {
    if (isFatal(error)) {
      discard(error);
    }
    throw error;
  }
}

/** The same for what is waited for. Rejects when the instance traps meanwhile, here or in another request. */
export async function settle(call) {
  ensure();
  let reject;
  const trapped = new Promise((_, rejecter) => {
    reject = rejecter;
  });
  inFlight.add(reject);
  try {
    return await Promise.race([call(rust), trapped]);
  } catch (error) {
    if (isFatal(error) && inFlight.has(reject)) {
      discard(error);
    }
    throw error;
  } finally {
    inFlight.delete(reject);
  }
}

/**
 * Asks the Rust side: a plan as JSON text for a page that is to be edited, a Response for a request to the API,
 * undefined when there is nothing to do. Rejects when the instance traps meanwhile, here or in another request.
 * `beforeWaiting` is called, with the program's version, when it is certain that the page is going to be edited, and something
 * has to be asked first.
 */
export async function decide(visit, beforeWaiting) {
  const { request, env, ctx, url, overrides, site } = visit;
  const ask = (wanted, version) => {
    beforeWaiting?.(version);
    return enrich(ctx, JSON.parse(wanted));
  };
  const projection = await projectionOf(visit);
  return settle(() => handle(request, env, ctx, site.id, url.href, overrides, ask, projection?.bytes));
}
