// How figures are written.

/** Three significant digits, in full. */
export function figure(number) {
  if (number >= 100) return Math.round(number).toLocaleString("en-US");
  return number >= 10 ? number.toFixed(1) : number >= 0.1 ? number.toFixed(2) : number.toFixed(3);
}

export const count = (number) => number.toLocaleString("en-US");

/** A median with its spread. */
export const spread = ({ median, p10, p90 }) => `${figure(median)} (${figure(p10)}-${figure(p90)})`;
