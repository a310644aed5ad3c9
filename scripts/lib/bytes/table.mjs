// What weighs, for people.

const number = (value) => value.toLocaleString("en-US");
const share = (value, whole) => `${((100 * value) / whole).toFixed(1)} %`;

/** Lines of cells: the first to the left, the others to the right. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `  ${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padStart(widths[column]))).join("  ")}`.trimEnd()).join("\n");
}

/** A module's rows: its sections, crates and their parts, and its `top` functions. */
export function report({ module, raw, gzip, difference, sections, crates, shared, framing, parts, functions }, top) {
  const rows = (heads, list, cells) => table([heads, ...list.map(cells)]);
  const rest = functions.slice(top).reduce((sum, { size }) => sum + size, 0);
  return [
    `${module}: ${number(raw)} bytes, ${number(gzip)} compressed (gzip, level 9), ${number(functions.length)} functions`,
    `weighed with names, which makes a difference of ${difference.raw} bytes, ${difference.gzip} compressed`,
    "",
    rows(["bytes", "", "gzip less", "section"], sections, ({ name, size, gzip }) => [number(size), share(size, raw), number(gzip), name]),
    "",
    rows(["bytes", "", "gzip less", "of it std's generics", "crate"], crates, (row) => [number(row.size), share(row.size, raw), number(row.gzip), number(row.generic), row.name]),
    `  the code section is these and ${number(framing)} bytes of its own; ${number(shared)} compressed bytes are in no row, being in several`,
    "",
    rows(["bytes", "", "functions", "part of a crate"], parts.slice(0, top), (row) => [number(row.size), share(row.size, raw), number(row.functions), row.name]),
    "",
    rows(["bytes", "", "function"], functions.slice(0, top), ({ name, size }) => [number(size), share(size, raw), name]),
    `  and ${number(functions.length - Math.min(top, functions.length))} more, of ${number(rest)} bytes`,
  ].join("\n");
}
