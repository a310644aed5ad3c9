// What the Worker tells its owner: one line of JSON for each event, which log tools read by its fields. Nothing of a visitor is
// in it: no address, no header, no id, and of a URL neither query nor path.

/**
 * The words of an error; what engines quote of the input in them (`Unexpected token ... "text" is not valid JSON`) is left out, from the
 * first quote to the last: the input may hold quotes itself.
 */
function wordsOf(error) {
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return words.replace(/".*"|[a-z]+:\/\/\S+/gis, "…").slice(0, 300);
}

/**
 * Logs an event. `event` is its name for programs, `message` says it to people; `fields` may name what it is about (a host, a
 * status, a version), and `error` why.
 */
export function log(level, event, message, { error, ...fields } = {}) {
  const why = error === undefined ? "" : `: ${wordsOf(error)}`;
  console[level](JSON.stringify({ level, event, message: `idoine: ${message}${why}`, ...fields }));
}

/** As `log`, for the Rust side: `site` is the site's id. */
export function logOfSite(level, event, message, site) {
  log(level, event, message, { site });
}
