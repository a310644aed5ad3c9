// What the owner's teams note of a profile, as it is told.

/** Whether anything is known of a profile: more than that somebody else may be it. */
export const isKnown = (sql, key) => sql.exec("SELECT 1 FROM parts WHERE profile = ? AND (state IS NOT NULL OR ids > 0) LIMIT 1", key).toArray().length > 0;

/** A row with its instant as text. */
const dated = ({ at, ...row }) => ({ ...row, at: new Date(at).toISOString() });

export const notesOf = (sql, key) => sql.exec("SELECT id, text, by, at FROM notes WHERE profile = ? ORDER BY at DESC, id", key).toArray().map(dated);
export const tagsOf = (sql, key) => sql.exec("SELECT tag, by, at FROM tags WHERE profile = ? ORDER BY tag", key).toArray().map(dated);
