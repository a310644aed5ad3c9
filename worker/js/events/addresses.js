// The addresses that take events, and those that other clients ask for settings. All else of them (other methods, what a browser asks
// before it sends something) is answered by the table of addresses (worker/src/route.rs).

import { collect } from "./collect.js";
import { formatOf } from "./formats.js";
import { settings, settingsOf } from "./settings.js";

/** What answers a visit at a path below the base path; undefined where it is for somebody else. */
export function eventsAt(visit, path) {
  const { method } = visit.request;
  const format = method === "POST" ? formatOf(path) : undefined;
  if (format !== undefined) {
    return () => collect(visit, format);
  }
  const asked = method === "GET" || method === "HEAD" ? settingsOf(visit, path) : undefined;
  return asked && (() => settings(visit, asked));
}
