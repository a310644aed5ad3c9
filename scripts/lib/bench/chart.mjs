// The curves as an SVG: a page's time over the number of experiences, both axes logarithmic.
import { count } from "./figures.mjs";
import { GOALS } from "./tables.mjs";

const WIDTH = 880;
const HEIGHT = 560;
/** Where the curves are. */
const PLOT = { left: 74, top: 76, right: 648, bottom: 476 };
/** Between two labels of one column. */
const LINE = 17;

// One colour each that is told from the others by those who see red and green alike too; dark ones on light ground and back.
const LOOKS = {
  decide: ["#0a6b5d", "#4fd1b5"],
  index: ["#0a6b5d", "#4fd1b5"],
  decideByScan: ["#7a8794", "#8b98a5"],
  growthbook: ["#7b3fb5", "#c39bf0"],
  flagd: ["#1f6fd0", "#79b4ff"],
  optimizely: ["#b3261e", "#ff8a80"],
  eppo: ["#a35c00", "#ffb454"],
  "json-rules-engine": ["#8a2c6c", "#f28ac8"],
};

const OURS = [["decide", "Idoine, from raw requests"], ["index", "Idoine, context ready"], ["decideByScan", "Idoine without its index"]];

const escaped = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The curves: their points are [experiences, summary]. */
function curves({ mixed, peers }) {
  const ours = OURS.map(([id, label]) => ({ id, label, points: mixed.map(({ experiences, idoine }) => [experiences, idoine[id]]) }));
  const theirs = peers.map(({ file, name }) => {
    const measured = mixed.filter(({ peers: results }) => results[file].status === "measured");
    return { id: file, label: name, points: measured.map(({ experiences, peers: results }) => [experiences, results[file].page]), isCut: measured.length < mixed.length };
  });
  return [...theirs, ...ours.reverse()].filter(({ points }) => points.length > 0);
}

/** A time in words, at a power of ten. */
function tick(us) {
  if (us >= 1e6) return `${count(us / 1e6)} s`;
  return us >= 1e3 ? `${count(us / 1e3)} ms` : `${us} µs`;
}

/** Moves labels of one column apart: those that would touch stand together around where they belong, within the plot. */
function apart(labels) {
  const groups = [];
  for (const label of [...labels].sort((one, other) => one.y - other.y)) {
    let group = { labels: [label], sum: label.y };
    const top = ({ labels: { length }, sum }) => Math.min(Math.max(sum / length - ((length - 1) * LINE) / 2, PLOT.top), PLOT.bottom - (length - 1) * LINE);
    for (let above = groups.at(-1); above && top(above) + above.labels.length * LINE > top(group); above = groups.at(-1)) {
      group = { labels: [...above.labels, ...group.labels], sum: above.sum + group.sum };
      groups.pop();
    }
    groups.push(group);
    group.labels.forEach((one, index) => (one.placed = top(group) + index * LINE));
  }
  return labels.map(({ placed, ...label }) => ({ ...label, y: placed }));
}

/** The SVG of a run's mixed workload: the same for the same figures. */
export function chart(result) {
  const { mixed } = result;
  const all = curves(result);
  const sizes = mixed.map(({ experiences }) => experiences);
  const values = all.flatMap(({ points }) => points.flatMap(([, { median, p10, p90 }]) => [median, p10, p90]));
  const goals = sizes.filter((size) => GOALS[size] !== undefined).map((size) => [size, GOALS[size]]);
  const decades = [Math.floor(Math.log10(Math.min(...values, ...goals.map(([, us]) => us)))), Math.ceil(Math.log10(Math.max(...values)))];
  const [least, most] = [Math.log10(Math.min(...sizes)), Math.log10(Math.max(...sizes))];
  const x = (size) => PLOT.left + 14 + ((Math.log10(size) - least) / (most - least || 1)) * (PLOT.right - PLOT.left - 28);
  const y = (us) => PLOT.bottom - ((Math.log10(us) - decades[0]) / (decades[1] - decades[0])) * (PLOT.bottom - PLOT.top);
  const at = (number) => number.toFixed(1).replace(/\.0$/, "");
  const text = (left, top, content, attributes = "") => `<text x="${at(left)}" y="${at(top)}"${attributes}>${escaped(content)}</text>`;
  const path = (points) => points.map(([size, us], index) => `${index === 0 ? "M" : "L"}${at(x(size))} ${at(y(us))}`).join("");

  const grid = [];
  for (let decade = decades[0]; decade <= decades[1]; decade++) {
    const top = y(10 ** decade);
    grid.push(`<path class="grid" d="M${PLOT.left} ${at(top)}H${PLOT.right}"/>`, text(PLOT.left - 10, top + 4, tick(10 ** decade), ' text-anchor="end" class="quiet"'));
  }
  for (const size of sizes) grid.push(text(x(size), PLOT.bottom + 22, count(size), ' text-anchor="middle" class="quiet"'));

  const drawn = all.map(({ id, points }) => {
    const whiskers = points.map(([size, { p10, p90 }]) => `M${at(x(size))} ${at(y(p10))}V${at(y(p90))}`).join("");
    const dots = points.map(([size, { median }]) => `<circle cx="${at(x(size))}" cy="${at(y(median))}" r="${id === "decide" ? 4 : 3}"/>`).join("");
    return `<g class="${id}"><path class="spread" d="${whiskers}"/><path class="curve" d="${path(points.map(([size, { median }]) => [size, median]))}"/>${dots}</g>`;
  });

  // A label stands at the end of its curve. Those that end early are within the plot, so they are above it, with the ground's colour around them.
  const columns = new Map();
  for (const { id, label, points, isCut } of all) {
    const [size, { median }] = points[points.length - 1];
    const written = { id, x: isCut ? x(size) + 8 : PLOT.right + 4, y: y(median) + (isCut ? -7 : 4), label: isCut ? `${label} ×` : label };
    columns.set(written.x, [...(columns.get(written.x) ?? []), written]);
  }
  if (goals.length > 1) columns.set(PLOT.right + 4, [...(columns.get(PLOT.right + 4) ?? []), { id: "goal", x: PLOT.right + 4, y: y(goals[goals.length - 1][1]) + 4, label: "goal" }]);
  const labels = [...columns.values()].flatMap((column) => apart(column)).map(({ id, x: left, y: top, label }) => text(left, top, label, ` class="label ${id}"`));

  const goal = goals.length > 1 ? `<path class="goal" d="${path(goals)}"/>` : "";
  const colours = (shade) => Object.entries(LOOKS).map(([id, shades]) => `.${id}{stroke:${shades[shade]}}.${id} circle,.label.${id}{fill:${shades[shade]}}`).join("");
  const theme = ([ground, ink, quiet, line], shade) => `.ground,.label{stroke:${ground}}.ground{fill:${ground}}text{fill:${ink}}.quiet{fill:${quiet}}.grid{stroke:${line}}.goal{stroke:${quiet}}.label.goal{fill:${quiet}}${colours(shade)}.label{stroke:${ground}}`;
  const cut = all.some(({ isCut }) => isCut) ? " × a minute was not enough for the next size, to load and to decide once for each visitor." : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title">
<title id="title">${escaped(`Time of one page's decisions over the number of experiences, on logarithmic axes: ${all.map(({ label }) => label).join(", ")}`)}</title>
<style>
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.heading{font-size:17px;font-weight:600}.grid{stroke-width:1}.curve{fill:none;stroke-width:1.75;stroke-linejoin:round}.spread{stroke-width:1.25;opacity:.55}
.label{paint-order:stroke;stroke-width:4;stroke-linejoin:round}.label.decide,.label.index{font-weight:600}.decide .curve{stroke-width:3.25}.index .curve{stroke-width:2;stroke-dasharray:1 5;stroke-linecap:round}.decideByScan .curve{stroke-dasharray:6 4}
circle{stroke:none}.goal{fill:none;stroke-width:1.25;stroke-dasharray:2 4}
${theme(["#ffffff", "#1c2430", "#667380", "#e6eaee"], 0)}
@media (prefers-color-scheme:dark){${theme(["#12171d", "#e6ebf0", "#98a5b2", "#262e37"], 1)}}
</style>
<rect class="ground" width="${WIDTH}" height="${HEIGHT}" rx="10"/>
${text(24, 34, "One page of 8 slots: time over the number of experiences", ' class="heading"')}
${text(24, 55, "Median, and 10th to 90th percentile, of alternating rounds in one run; results checked equal. Lower is quicker.", ' class="quiet"')}
${grid.join("\n")}
${goal}
${drawn.join("\n")}
${labels.join("\n")}
${text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 45, "experiences", ' text-anchor="middle" class="quiet"')}
${text(24, HEIGHT - 16, `Peers start from ready attributes.${cut}`, ' class="quiet"')}
</svg>
`;
}
