// A site whose slots are asked for as flags: one of each kind of value.

export const READ = "read-token-0123456789abcdef";
export const PUBLISH = "publish-token-0123456789abcdef";
export const TOKENS = `read:apps:${READ}, publish:ci:${PUBLISH}`;

/** The manifest; `changes` are laid over its top level. */
export function flags(changes: Record<string, unknown> = {}): object {
  const personal = (id: string, audience: string, slots: object, more: object = {}) => ({ id, type: "personalization", audience, slots, ...more });
  return {
    site: { id: "shop", hosts: ["shop.example", "www.shop.example", "127.0.0.1", "localhost"], timezone: "Europe/Paris" },
    traits: { plan: { type: "string", purpose: "personalization", editable: true } },
    slots: {
      title: { selector: "h1", pages: ["/"] },
      lead: { selector: "p.lead", pages: ["/"] },
      button: { selector: "a.buy", pages: ["/"] },
      place: { selector: "#place", pages: ["/"] },
      morning: { selector: "#morning", pages: ["/"] },
      cart: { selector: "#cart", pages: ["/cart"] },
      shipping: { type: "data" },
      enabled: { type: "data" },
      count: { type: "data" },
      list: { type: "data" },
      nothing: { type: "data" },
    },
    experiences: [
      personal("campaign", "source.campaign == 'spring'", { title: { text: "Spring & more" } }, { priority: 50 }),
      personal("phone", "device.type == 'mobile'", { title: { text: "On your phone" } }),
      personal("french", "geo.country == 'FR'", { lead: { html: "Bienvenue <b>ici</b>", attribute: { title: "{{ geo.city | \"France\" }}" } } }),
      personal("data", "geo.country == 'FR'", { shipping: { json: { from: 50, to: "{{ geo.city | \"you\" }}" } }, enabled: { json: true }, count: { json: 3.5 }, list: { json: ["a", "b"] }, nothing: { json: null } }),
      personal("basket", "true", { cart: { text: "Yours" } }),
      personal("pro", "profile.plan == 'pro'", { place: { text: "For professionals" } }, { priority: 2 }),
      personal("returning", "visitor.returning", { place: { text: "Welcome back" } }, { priority: 1 }),
      personal("early", "time.hour == 8", { morning: { text: "Good morning" } }),
      { id: "button-test", type: "experiment", sticky: true, weights: [1, 1], slots: { button: [{ baseline: true }, { text: "Get it now" }] } },
    ],
    ...changes,
  };
}
