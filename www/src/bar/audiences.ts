/** The site's audiences, as far as this page asked for them: who is in, and of who is not, the clause that failed with what it read. */
import { h } from "../element.ts";
import { brief, clauseList, type Clause, type Explained } from "./clauses.ts";
import { TRUTHS } from "./words.ts";

/** Every named audience in the clauses of these experiences, by its name. */
export function namedAudiences(experiences: readonly Explained[]): [name: string, clause: Clause][] {
  const found = new Map<string, Clause>();
  const walk = (clause: Clause): void => {
    if (clause.join === "audience") found.set(clause.text, clause);
    clause.parts?.forEach(walk);
  };
  for (const { audience } of experiences) if (audience) walk(audience);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function audienceSection(experiences: readonly Explained[]): HTMLElement {
  const all = namedAudiences(experiences);
  const isIn = all.filter(([, { value }]) => value === "true").length;
  return h(
    "section",
    { "aria-label": "Audiences" },
    h("h3", {}, "Audiences"),
    h("p", { class: "soft" }, all.length === 0 ? "No experience of this page asked for a named audience." : `In ${isIn} of ${all.length} that this page asked for.`),
    h(
      "ul",
      { class: "slots" },
      ...all.map(([name, clause]) =>
        h(
          "li",
          { class: "slot audience" },
          h("div", { class: `line ${clause.value}` }, h("strong", {}, name), h("span", { class: "truth" }, TRUTHS[clause.value])),
          clause.value !== "true" && brief(clause),
          h("details", {}, h("summary", {}, "All of its clauses"), clauseList(clause, `Clauses of ${name}`)),
        ),
      ),
    ),
  );
}
