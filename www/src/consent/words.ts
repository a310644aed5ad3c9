/** What the banner and the preference centre say. What purposes and traits are called, the site's notice says. */
import type { Purpose, Wording } from "../types.ts";

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
  centre: "Your data and choices",
  allow: "What you allow",
  kept: "Kept for up to %s after your last visit.",
  chosen: "You chose this on %s.",
  chosenElsewhere: "You chose this on %s, in this site’s consent window.",
  unasked: "You have not chosen yet.",
  known: "What we know about you",
  nothing: "Nothing.",
  closed: "Nothing is kept about you without your permission.",
  more: "What we may also come to know",
  sources: { visitor: "You said so here", browser: "From what you did on this site", identity: "From your account", edge: "From your visits", import: "From our records" },
  other: "From our systems (%s)",
  why: "Why we ask:",
  changes: "What it changes:",
  groups: "Groups you are in:",
  correct: "Correct",
  remove: "Remove",
  done: "Save",
  cancel: "Cancel",
  likes: "What you would like",
  topics: "Topics",
  frequency: "How often we write to you",
  quiet: "Quiet mode",
  needs: "This needs your permission above: %s.",
  login: "Please log in again on this site to see or change this.",
  data: "Your data",
  download: "Download my data",
  erase: "Erase everything",
  rights: "Take a copy of everything along, or have it all erased, in this browser and with us. Every permission is then taken back.",
  sure: "Erase everything we know about you? This cannot be undone.",
  yesErase: "Yes, erase everything",
  keep: "Keep it",
  erased: "Everything is erased. Your receipt:",
  localOnly: "This site keeps your choice, and a random number where you allow something, in this browser alone.",
  close: "Close",
  yes: "Yes",
  no: "No",
  purposes: {
    personalization: ["Personalisation", "Show you what suits you, by what you look at on this site."],
    analytics: ["Measurement", "Count visits and see what works, to make this site better."],
    marketing: ["Marketing", "Reach you on other sites and by message, by what you do here."],
  } as Record<Purpose, readonly [title: string, text: string]>,
};

/** The words of one language. */
export type Words = typeof en;

const fr: Words = {
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
  centre: "Vos données et vos choix",
  allow: "Ce que vous autorisez",
  kept: "Gardé au plus %s après votre dernière visite.",
  chosen: "Votre choix date du %s.",
  chosenElsewhere: "Votre choix date du %s, dans la fenêtre de consentement de ce site.",
  unasked: "Vous n’avez pas encore choisi.",
  known: "Ce que nous savons de vous",
  nothing: "Rien.",
  closed: "Rien n’est gardé de vous sans votre accord.",
  more: "Ce que nous pourrions aussi apprendre",
  sources: { visitor: "Vous l’avez dit ici", browser: "D’après ce que vous avez fait sur ce site", identity: "De votre compte", edge: "D’après vos visites", import: "De nos fichiers" },
  other: "De nos systèmes (%s)",
  why: "Pourquoi nous le demandons :",
  changes: "Ce que cela change :",
  groups: "Groupes dont vous faites partie :",
  correct: "Corriger",
  remove: "Retirer",
  done: "Enregistrer",
  cancel: "Annuler",
  likes: "Ce que vous souhaitez",
  topics: "Sujets",
  frequency: "À quelle fréquence nous vous écrivons",
  quiet: "Mode discret",
  needs: "Cela demande votre accord ci-dessus : %s.",
  login: "Veuillez vous reconnecter sur ce site pour voir ou modifier ceci.",
  data: "Vos données",
  download: "Télécharger mes données",
  erase: "Tout effacer",
  rights: "Emportez une copie de tout, ou faites tout effacer, dans ce navigateur et chez nous. Tous vos accords sont alors retirés.",
  sure: "Effacer tout ce que nous savons de vous ? C’est définitif.",
  yesErase: "Oui, tout effacer",
  keep: "Garder",
  erased: "Tout est effacé. Votre reçu :",
  localOnly: "Ce site ne garde que votre choix, et un nombre aléatoire si vous autorisez quelque chose, dans ce navigateur seulement.",
  close: "Fermer",
  yes: "Oui",
  no: "Non",
  purposes: {
    personalization: ["Personnalisation", "Vous montrer ce qui vous convient, d’après ce que vous regardez sur ce site."],
    analytics: ["Mesure d’audience", "Compter les visites et voir ce qui marche, pour améliorer ce site."],
    marketing: ["Marketing", "Vous joindre sur d’autres sites et par message, d’après ce que vous faites ici."],
  },
};

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
  const words = { ...en, ...languages[primary(tag)] };
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
