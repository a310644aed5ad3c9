// When a visitor's day begins, so that what is counted by days is counted as decisions ask for it.

/** An event's context with the visitor's time zone, where they did not say it: as the network has it, by which pages are decided too. */
export function withZone(context, { cf }) {
  const timezone = cf?.timezone;
  return context?.timezone === undefined && typeof timezone === "string" && timezone !== "" ? { ...context, timezone } : context;
}
