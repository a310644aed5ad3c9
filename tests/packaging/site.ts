// A site whose page is rendered by its own code: one slot of each kind that such a page has.
import { compile } from "../e2e/fixtures/artefacts.ts";

export const INSTAGRAM = "/?utm_source=instagram&utm_medium=social";

export const MANIFEST = {
  site: { id: "packaged", hosts: ["127.0.0.1", "shop.example"], timezone: "Europe/Paris" },
  slots: {
    hero: { render: "client", pages: ["/", "/sale"] },
    intro: { render: "client", pages: ["/"] },
    offer: { type: "data", pages: ["/"] },
    aside: { selector: "aside", pages: ["/"] },
  },
  experiences: [
    {
      id: "instagram",
      type: "personalization",
      priority: 10,
      audience: "source.name == 'instagram'",
      slots: {
        hero: { text: "Seen on Instagram", class: { add: ["from-instagram"] }, attribute: { title: "Hello </script><b>" } },
        intro: { html: "Free <em>express</em> shipping" },
        offer: { json: { percent: 10, note: "</script><!--" } },
        aside: { text: "For you" },
      },
    },
    { id: "sale", type: "personalization", audience: "page.path == '/sale'", slots: { hero: { text: "The sale" } } },
    { id: "french", type: "personalization", audience: "geo.country == 'FR' && time.hour == 9 && language.tag == 'fr-FR'", slots: { hero: { text: "Bonjour" } } },
  ],
};

/** The program of that site. */
export const program = (): Buffer => compile(MANIFEST, "--browser");
