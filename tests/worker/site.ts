// A small site for the tests of the Worker: a page with something to edit, and experiences for it.

/** The manifest; `changes` are laid over its top level. */
export function site(changes: Record<string, unknown> = {}): object {
  return {
    site: { id: "shop", hosts: ["shop.example", "www.shop.example", "localhost"], timezone: "Europe/Paris" },
    traits: { plan: { type: "string", purpose: "personalization" } },
    audiences: { french: "language.primary == 'fr'" },
    slots: {
      title: { selector: "h1", pages: ["/", "/two"] },
      lead: { selector: "p.lead", pages: ["/"] },
      picture: { selector: "img", pages: ["/"] },
      card: { selector: ".card", pages: ["/"] },
      banner: { selector: "#banner", pages: ["/"] },
      button: { selector: "a.buy", pages: ["/"] },
      place: { selector: "#place", pages: ["/"] },
      shipping: { type: "data", pages: ["/"] },
    },
    personas: { "Parisian on a phone": { "geo.country": "FR", "device.type": "mobile", now: "2026-11-20T12:30:00Z" } },
    experiences: [
      { id: "campaign", type: "personalization", audience: "source.campaign == 'spring'", priority: 50, slots: { title: { text: "Spring & more" } } },
      { id: "phone", type: "personalization", audience: "device.type == 'mobile'", priority: 40, slots: { title: { text: "On your phone" } } },
      { id: "french", type: "personalization", audience: "french", priority: 30, slots: { title: { text: "Été à la plage" }, lead: { html: "Bienvenue <b>chez nous</b>" } } },
      { id: "canada", type: "personalization", audience: "geo.country == 'CA'", priority: 20, slots: { title: { text: "Hello, Canada" } } },
      {
        id: "ops",
        type: "personalization",
        audience: "source.campaign == 'ops'",
        priority: 60,
        slots: {
          title: { text: "1 < 2 & \"3\" é" },
          lead: { html: "<em>lead</em> for {{ geo.city | \"you\" }}", attribute: { title: "a \"b\" & c", "data-x": "{{ geo.city | \"nowhere\" }}" } },
          picture: { image: { src: "/new.png?a=1&b=2", alt: "New" } },
          card: { class: { add: ["wide", "old"], remove: ["narrow"] } },
          banner: { hide: true },
          shipping: { json: { from: 50, text: "for {{ geo.city | \"</script>\" }}" } },
        },
      },
      {
        id: "button-test",
        type: "experiment",
        weights: [1, 1],
        slots: { button: [{ baseline: true }, { text: "Get it now" }] },
      },
      { id: "returning", type: "personalization", audience: "visitor.returning", slots: { place: { text: "Welcome back" } } },
      { id: "here", type: "personalization", audience: "time.hour == 14 && geo.city == 'Lyon'", priority: 5, slots: { place: { text: "Good afternoon, {{ geo.city | \"you\" }}" } } },
    ],
    ...changes,
  };
}

/** The page at `/`. */
export const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title></head>
<body><h1>Welcome</h1><p class="lead">Things</p><img src="/old.png" alt="Old" width="4">
<div class="card narrow old">A</div><div class="card">B</div><div id="banner" style="color: red;">Sale</div>
<a class="buy" href="/buy">Buy</a><p id="place">-</p></body></html>
`;

export const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
