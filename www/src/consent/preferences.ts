/** The preference centre's chunk: `<idoine-preferences>`. What it has in common with the banner is the consent chunk's. */
import { centreWords } from "./centre-words.ts";
import { PreferenceCentre } from "./centre.ts";
import { languages } from "./consent.js";

// What the site has added comes first.
for (const [tag, words] of Object.entries(centreWords)) languages[tag] = { ...words, ...languages[tag] };

const CENTRE = "idoine-preferences";
customElements.get(CENTRE) ?? customElements.define(CENTRE, PreferenceCentre);
