//! A shop's rules and what its visitors do, for benchmarks of folding: natively (`benches/learn.rs`) and in Wasm (`benches/parts`).

use idoine::consent::{Consent, Purpose};
use idoine::learn::event::ONE;
use idoine::learn::rules::{
    Affinity, Counter, Engagement, EventRule, Expected, ExperienceRule, Feature, Intent, Matching, Milestone, Rfm, TraitRule,
};
use idoine::learn::{Event, EventKind, Product, Rules, Scalar, State};
use idoine::session::SessionRules;
use idoine::touch::Touch;

const DAY: i64 = 86_400_000;
const BEGINS: i64 = 1_790_000_000_000;
/// How many visitors' events there are, and how many of each.
pub const VISITORS: usize = 100;
pub const EVENTS: usize = 200;

/// A generator of numbers: the same ones each time (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }

    fn of<T: Copy>(&mut self, items: &[T], otherwise: T) -> T {
        items.get(self.below(items.len() as u64) as usize).copied().unwrap_or(otherwise)
    }
}

fn of(event: &str) -> Matching {
    Matching { event: event.to_owned(), properties: Vec::new() }
}

fn having(event: &str, path: &str, value: &str) -> Matching {
    Matching { event: event.to_owned(), properties: vec![(path.to_owned(), Expected::Text(value.to_owned()))] }
}

/// What a shop asks for: 12 counters, 3 affinities, engagement, 3 intents, purchases, milestones, features, traits, experiences.
pub fn rules() -> Rules {
    let counter = |id: u32, matching: Matching, sum: Option<&str>, windows: &[i64]| Counter {
        id,
        matching,
        sum: sum.map(str::to_owned),
        windows: windows.to_vec(),
    };
    let affinity = |dimension: &str| Affinity {
        dimension: dimension.to_owned(),
        property: dimension.to_owned(),
        half_life: 30 * DAY,
        weights: vec![
            (of("Product Viewed"), ONE),
            (of("Product Added to Wishlist"), 2 * ONE),
            (of("Product Added"), 3 * ONE),
            (of("Order Completed"), 5 * ONE),
        ],
        cap: 100 * ONE,
        keep: 20,
        least: ONE,
    };
    let signals = |name: &str, signals: Vec<(Matching, i64)>| (name.to_owned(), signals);
    Rules {
        session: SessionRules::default(),
        attribution: 90 * DAY,
        events: vec![EventRule { name: "Order Completed".to_owned(), trusted: true, ..EventRule::default() }],
        traits: ["plan", "first_name", "language"]
            .map(|name| TraitRule { name: name.to_owned(), kind: "string".to_owned(), ..TraitRule::default() })
            .to_vec(),
        counters: vec![
            counter(1, of("Product Viewed"), None, &[7 * DAY, 30 * DAY]),
            counter(2, having("Product Viewed", "category", "shoes"), None, &[7 * DAY]),
            counter(3, having("Product Viewed", "category", "bags"), None, &[7 * DAY]),
            counter(4, having("Product Viewed", "brand", "brand 3"), None, &[30 * DAY]),
            counter(5, of("Product Added"), None, &[DAY, 7 * DAY]),
            counter(6, of("Order Completed"), None, &[0, 365 * DAY]),
            counter(7, of("Order Completed"), Some("revenue"), &[0, 90 * DAY]),
            counter(8, of("page"), None, &[DAY, 30 * DAY]),
            counter(9, of("Products Searched"), None, &[7 * DAY]),
            counter(10, of("Product List Viewed"), None, &[7 * DAY]),
            counter(11, of("Coupon Applied"), None, &[90 * DAY]),
            counter(12, of("Checkout Started"), None, &[7 * DAY]),
        ],
        affinities: vec![affinity("category"), affinity("brand"), affinity("color")],
        rfm: Some(Rfm { event: "Order Completed".to_owned(), value: "revenue".to_owned(), trusted: true }),
        engagement: Engagement {
            half_life: 7 * DAY,
            weights: vec![
                (of("page"), ONE),
                (of("Product Viewed"), ONE),
                (of("Product Added"), 3 * ONE),
                (of("Order Completed"), 10 * ONE),
            ],
            levels: [5 * ONE, 20 * ONE],
        },
        intent: Intent {
            half_life: 20 * 60_000,
            least: ONE,
            signals: vec![
                signals(
                    "bargain_hunter",
                    vec![(of("Coupon Applied"), 2 * ONE), (having("Product List Viewed", "list", "sale"), ONE)],
                ),
                signals("researcher", vec![(of("Product Viewed"), ONE / 4), (of("Products Searched"), ONE)]),
                signals("ready_to_buy", vec![(of("Product Added"), ONE), (of("Checkout Started"), 3 * ONE)]),
            ],
        },
        features: vec![Feature {
            name: "wishlist".to_owned(),
            matching: of("Product Added to Wishlist"),
            adopted: 3,
            left: 90 * DAY,
        }],
        milestones: vec![Milestone {
            name: "third".to_owned(),
            matching: Some(of("Order Completed")),
            count: 3,
            lasts: 7 * DAY,
        }],
        experiences: vec![ExperienceRule { id: "hero".to_owned(), sticky: true, capped: true, ..ExperienceRule::default() }],
        ..Rules::default()
    }
}

/// What visitors do: half of it page views, a third products, some lists and searches, few carts and orders.
pub fn events() -> Vec<Vec<Event<'static>>> {
    let mut dice = Dice(20_261_123);
    let visitor = |_| {
        let mut at = BEGINS + dice.below(DAY as u64) as i64;
        let event = |n: usize| {
            // Some twelve events in a visit, a visit every other day.
            at += if dice.below(12) == 0 { dice.below(4 * DAY as u64) as i64 } else { dice.below(120_000) as i64 };
            one(&mut dice, n, at)
        };
        (0..EVENTS).map(event).collect()
    };
    (0..VISITORS).map(visitor).collect()
}

fn one(dice: &mut Dice, n: usize, at: i64) -> Event<'static> {
    let id = format!("{:08x}-{:08x}-{n:04x}", dice.below(1 << 32), dice.below(1 << 32));
    let mut event = Event::new(id, at, EventKind::Track);
    event.consent = Purpose::ALL.into_iter().fold(Consent::default(), |consent, purpose| consent.with(purpose, true));
    let text = |text: String| Scalar::Text(text.into());
    let product = |dice: &mut Dice| {
        let mut product = Product::default();
        let category = dice.of(&["shoes", "shoes", "bags", "hats", "coats", "belts"], "shoes");
        product.put("product_id", text(format!("sku-{}", dice.below(400))));
        product.put("price", Scalar::Number((dice.below(20_000) as i64 + 500) * ONE / 100));
        product.put("quantity", Scalar::Number(ONE));
        product.put("name", text(format!("Something from {category}")));
        product.put("category", text(category.to_owned()));
        product.put("brand", text(format!("brand {}", dice.below(12))));
        product.put("color", text(dice.of(&["red", "green", "blue", "black"], "red").to_owned()));
        product
    };
    let about = |event: &mut Event<'static>, product: Product<'static>| {
        event.properties = product.properties.clone();
        event.properties.push(("price".into(), Scalar::Number(product.price)));
        event.properties.push(("currency".into(), text("EUR".to_owned())));
        event.products.push(product);
    };
    match dice.below(100) {
        0..50 => {
            event.kind = EventKind::Page;
            event.properties =
                vec![("path".into(), text(format!("/p/{}", dice.below(400)))), ("title".into(), text("A page".to_owned()))];
            let source = dice.of(&["", "", "", "", "", "", "", "", "google", "newsletter"], "").to_owned();
            let medium = if source.is_empty() { String::new() } else { "cpc".to_owned() };
            event.touch = Some(Touch { at, source, medium, ..Touch::default() });
        }
        50..82 => {
            event.name = "Product Viewed".into();
            about(&mut event, product(dice));
        }
        82..87 => {
            event.name = "Product List Viewed".into();
            event.properties = vec![("list".into(), text(dice.of(&["sale", "new"], "new").to_owned()))];
        }
        87..90 => {
            event.name = "Products Searched".into();
            event.properties = vec![("query".into(), text("red shoes".to_owned()))];
        }
        90..95 => {
            event.name = "Product Added".into();
            about(&mut event, product(dice));
        }
        95 => {
            event.name = "Checkout Started".into();
            event.products = (0..2).map(|_| product(dice)).collect();
        }
        96 => {
            event.name = "Order Completed".into();
            event.trusted = true;
            event.properties = vec![("revenue".into(), Scalar::Number((dice.below(200) as i64 + 10) * ONE))];
            event.products = (0..3).map(|_| product(dice)).collect();
        }
        97 => {
            event.kind = EventKind::Identify;
            event.traits = vec![("plan".into(), text("pro".to_owned())), ("first_name".into(), text("Ada".to_owned()))];
        }
        98 => {
            event.kind = EventKind::Exposure;
            event.properties = vec![("experience".into(), text("hero".to_owned())), ("variant".into(), Scalar::Number(ONE))];
        }
        _ => event.name = "Coupon Applied".into(),
    }
    event
}

/// Folds all of it, each visitor's events from nothing on; a number that depends on every state.
pub fn fold(rules: &Rules, visitors: &[Vec<Event<'static>>]) -> usize {
    visitors.iter().map(|events| state(rules, events).encode().len()).sum()
}

/// A visitor's state.
pub fn state(rules: &Rules, events: &[Event<'static>]) -> State {
    events.iter().fold(State::default(), |mut state, event| {
        state.fold(rules, event);
        state
    })
}
