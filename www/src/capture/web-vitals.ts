/** How fast the page was for this visitor: LCP, INP, CLS, FCP and TTFB. */
import type { MetricType } from "web-vitals";
import type { Scope } from "./scope.ts";

/** Whoever listens now. Measuring goes on once it has begun, so it begins once. */
let hear: ((metric: MetricType) => void) | undefined;
let measuring: Promise<unknown> | undefined;

export function web_vitals(scope: Scope): void {
  hear = ({ name, value, rating, id }) => scope.note("Web Vital Measured", { name, value: Math.round(value * (name === "CLS" ? 10_000 : 1)) / (name === "CLS" ? 10_000 : 1), rating, metric_id: id });
  scope.onEnd(() => (hear = undefined));
  measuring ??= import("./vitals.js")
    .then(({ measure }) => measure((metric) => hear?.(metric)))
    .catch(() => {});
}
