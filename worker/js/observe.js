// What an answer tells of how it was made: how long it took, and in previews what was decided.

/** The longest list of decisions in a header. */
const LONGEST = 2048;

/** Runs something and keeps how many milliseconds it took, under a name. Where clocks stand still between input and output, time spent computing is not in it. */
export async function timed(visit, name, run) {
  const start = performance.now();
  try {
    return await run();
  } finally {
    visit.times[name] = Math.round((performance.now() - start) * 10) / 10;
  }
}

/** Text for a header: what is no plain ASCII is percent-encoded, as are the separators in use. */
function token(text) {
  return [...new TextEncoder().encode(String(text))].map((byte) => (byte > 0x20 && byte < 0x7f && !/[=;%]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`)).join("");
}

/** Adds to a header what the times of a visit are; the origin's own stay before them. */
export function tellTimes({ times, cache }, headers) {
  const told = ["decide", "origin"].filter((name) => times[name] !== undefined).map((name) => `idoine-${name};dur=${times[name]}`);
  if (cache) {
    told.push(`idoine-cache;desc=${token(cache)}`);
  }
  if (told.length > 0) {
    headers.append("server-timing", told.join(", "));
  }
}

/** In previews alone, a header that says what was decided: `hero=instagram/1 personalization match; ...`. */
export function tellDecisions(plan, headers) {
  if (!plan.preview) {
    return;
  }
  const { decisions } = JSON.parse(plan.state);
  const told = decisions.map(({ slot, experience, variant, source, reason }) => {
    const winner = experience === null ? "-" : `${token(experience)}/${variant}`;
    return `${token(slot)}=${winner} ${token(source)} ${token(reason)}`;
  });
  headers.set("idoine-decisions", told.join("; ").slice(0, LONGEST));
}
