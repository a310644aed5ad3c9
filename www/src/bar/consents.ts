/** What the visitor has agreed to: what they said, who asked them, what holds now, and switches to try another choice. */
import { h } from "../element.ts";
import type { ConsentStatus, Purpose, PurposeStatus } from "../types.ts";
import { readOverrides } from "./address.ts";
import { timeWords } from "./time.ts";

const PURPOSES: readonly [Purpose, string][] = [
  ["personalization", "Personalisation"],
  ["analytics", "Analytics"],
  ["marketing", "Marketing"],
];
const SAID: Readonly<Record<PurposeStatus, string>> = {
  granted: "granted",
  refused: "refused",
  withdrawn: "withdrawn",
  unasked: "not asked",
};
const BY = { visitor: "the visitor, on the site itself", platform: "a consent platform", default: "nobody: the site goes ahead until it is told otherwise" } as const;
const MODES = {
  "opt-in": "opt-in: nothing before it is agreed to",
  "opt-out": "opt-out: all until it is refused",
  "measurement-exempt": "measurement-exempt: counts without the visitor are made without asking",
} as const;

/** The section; a change reloads the page, as slots change at the next navigation. `zone` is the clock that times are told by. */
export function consentSection(status: ConsentStatus, context: Readonly<Record<string, unknown>>, zone: string, save: (granted: Purpose[]) => void): HTMLElement {
  const overrides = readOverrides(location.href);
  const boxes = PURPOSES.map(([purpose, label]) =>
    h("input", {
      type: "checkbox",
      checked: status.granted.includes(purpose),
      "aria-label": label,
      onchange: () => save(PURPOSES.filter((_, index) => boxes[index]?.checked).map(([name]) => name)),
    }),
  );
  const holds = (purpose: Purpose): string => {
    const isGranted = context[`consent.${purpose}`] === true;
    const by = overrides.has(`consent.${purpose}`) ? ", as this preview says" : "";
    return `${isGranted ? "yes" : "no"}${by}`;
  };
  const row = ([purpose, label]: (typeof PURPOSES)[number], index: number): HTMLElement =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("label", { class: "switch" }, boxes[index]!, label)),
      h("td", {}, SAID[status.choice?.[purpose]] ?? "not told"),
      h("td", {}, holds(purpose)),
    );
  const { notice, version, at, by, own = [], measured, signals } = status;
  const facts: [string, string | false | undefined][] = [
    ["Asked", status.decided ? "yes, and answered in the present wording" : "not yet, in the present wording"],
    ["By", by && BY[by]],
    ["At", at !== undefined && timeWords(Date.parse(at), zone)],
    ["Version of the wording", version === undefined ? notice && `${notice.version} (not answered)` : notice && notice.version !== version ? `${version}; it is ${notice.version} now` : String(version)],
    ["Mode", notice && MODES[notice.mode]],
    ["Refused on the site itself", own.length > 0 && `${own.join(", ")}: no consent platform grants it`],
    ["Counted without the visitor", measured ? "yes" : "no"],
    ["The browser asks for", [signals?.gpc && "Global Privacy Control", signals?.dnt && "Do Not Track"].filter(Boolean).join(", ") || "nothing"],
  ];
  return h(
    "section",
    { "aria-label": "Consent" },
    h("h3", {}, status.decided ? "Consent" : "Consent (not asked yet)"),
    h(
      "table",
      { class: "consents" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Purpose"), h("th", { scope: "col" }, "Said"), h("th", { scope: "col" }, "Counts here"))),
      h("tbody", {}, ...PURPOSES.map(row)),
    ),
    h("p", { class: "soft" }, "A switch records a choice of this browser and loads the page again."),
    h("dl", {}, ...facts.flatMap(([name, value]) => (value ? [h("dt", {}, name), h("dd", {}, value)] : []))),
  );
}
