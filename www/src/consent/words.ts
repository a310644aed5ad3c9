/** What the banner says, and what both elements do; the preference centre has words of its own. What purposes and traits are called, the site's notice says. */
import type { Purpose, Wording } from "../types.ts";
import type { CentreWords } from "./centre-words.ts";

const en = {
  title: "Your privacy",
  ask: "With your permission, we use what you do on this site for the following. Nothing is kept before you answer, and you can change your mind at any time.",
  object: "We use what you do on this site for the following, unless you refuse. You can change your mind at any time.",
  again: "What we ask has changed, so we ask you again.",
  acceptAll: "Accept all",
  refuseAll: "Refuse all",
  choose: "Choose",
  save: "Save my choice",
  policy: "Privacy policy",
  waiting: "A question about your privacy is at the beginning of this page.",
  gpc: "Your browser asks sites not to profile you (Global Privacy Control). We respect that.",
  refusedByBrowser: "Refused by your browser",
  dnt: "Your browser asks sites not to track you (Do Not Track). We respect that, unless you choose otherwise here.",
  failed: "That did not work. Please try again.",
  saved: "Saved.",
  kept: "Kept for up to %s after your last visit.",
  purposes: {
    personalization: ["Personalisation", "Show you what suits you, by what you look at on this site."],
    analytics: ["Measurement", "Count visits and see what works, to make this site better."],
    marketing: ["Marketing", "Reach you on other sites and by message, by what you do here."],
  } as Record<Purpose, readonly [title: string, text: string]>,
};

const fr: typeof en = {
  title: "Votre vie privée",
  ask: "Avec votre accord, nous utilisons ce que vous faites sur ce site pour ce qui suit. Rien n’est gardé avant votre réponse, et vous pouvez changer d’avis à tout moment.",
  object: "Nous utilisons ce que vous faites sur ce site pour ce qui suit, sauf si vous refusez. Vous pouvez changer d’avis à tout moment.",
  again: "Ce que nous demandons a changé ; nous vous posons donc à nouveau la question.",
  acceptAll: "Tout accepter",
  refuseAll: "Tout refuser",
  choose: "Choisir",
  save: "Enregistrer mon choix",
  policy: "Politique de confidentialité",
  waiting: "Une question sur votre vie privée se trouve au début de cette page.",
  gpc: "Votre navigateur demande aux sites de ne pas vous profiler (Global Privacy Control). Nous le respectons.",
  refusedByBrowser: "Refusé par votre navigateur",
  dnt: "Votre navigateur demande aux sites de ne pas vous suivre (Do Not Track). Nous le respectons, sauf choix contraire de votre part ici.",
  failed: "Cela n’a pas fonctionné. Veuillez réessayer.",
  saved: "Enregistré.",
  kept: "Gardé au plus %s après votre dernière visite.",
  purposes: {
    personalization: ["Personnalisation", "Vous montrer ce qui vous convient, d’après ce que vous regardez sur ce site."],
    analytics: ["Mesure d’audience", "Compter les visites et voir ce qui marche, pour améliorer ce site."],
    marketing: ["Marketing", "Vous joindre sur d’autres sites et par message, d’après ce que vous faites ici."],
  },
};

/** The words of one language. */
export type Words = typeof en & CentreWords;

/** By language. A module of the site's own may add one: `import { languages } from "/_idoine/consent.js"; languages.de = { ... }`. */
export const languages: Record<string, Partial<Words>> = { en, fr };

/** The words for an element, and how to say what the site words by language. */
export interface Speech {
  /** The language. */
  readonly tag: string;
  /** The word of that name, with `%s` taken by these. */
  say(name: Plain, ...values: readonly string[]): string;
  source(name: string): string;
  purpose(name: Purpose): readonly [title: string, text: string];
  /** A wording of the site's; empty when it has none. */
  of(wording: Wording | undefined): string;
  date(iso: string): string;
  /** A time in months, or in days where it is short. */
  days(days: number): string;
}

type Plain = { [Name in keyof Words]: Words[Name] extends string ? Name : never }[keyof Words];

/** The language of an element: its own or the page's around it, else the browser's, as far as there are words for it. */
export function speechFor(element: HTMLElement): Speech {
  const around = element.closest<HTMLElement>("[lang]")?.lang;
  const tag = [around, ...navigator.languages].find((one) => one && languages[primary(one)]) ?? "en";
  const words = { ...languages.en, ...languages[primary(tag)] } as Words;
  const fill = (text: string, values: readonly string[]): string => values.reduce((filled, value) => filled.replace("%s", () => value), text);
  return {
    tag,
    say: (name, ...values) => fill(words[name], values),
    source: (name) => words.sources[(name.startsWith("import:") ? "import" : name) as keyof Words["sources"]] ?? fill(words.other, [name]),
    purpose: (name) => words.purposes[name],
    of: (wording) => wording?.[tag] ?? wording?.[primary(tag)] ?? wording?.en ?? "",
    date: (iso) => new Date(iso).toLocaleDateString(tag, { dateStyle: "long" }),
    days(days) {
      const [value, unit] = days < 60 ? [days, "day"] : [Math.round(days / 30.4), "month"];
      return value.toLocaleString(tag, { style: "unit", unit, unitDisplay: "long" });
    },
  };
}

const primary = (tag: string): string => tag.split("-")[0]!.toLowerCase();
