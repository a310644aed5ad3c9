/** Core Web Vitals, measured by the package `web-vitals`: a chunk of its own, for sites that want to know them. */
import { onCLS, onFCP, onINP, onLCP, onTTFB, type MetricType } from "web-vitals";

/** Calls back with each measure when it is known, and again when it has changed since. There is no way to end that. */
export function measure(listener: (metric: MetricType) => void): void {
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(listener);
}
