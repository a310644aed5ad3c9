//! Rules that ask for everything, and random events.

use idoine::consent::{Consent, Purpose};
use idoine::learn::event::ONE;
use idoine::learn::rules::*;
use idoine::learn::{Event, EventKind, Product, Rules, Scalar, State, VISITOR};
use idoine::session::SessionRules;
use idoine::touch::Touch;
use proptest::prelude::*;

pub const NOW: i64 = 1_790_000_000_000;
pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

pub fn consent() -> Consent {
    Purpose::ALL.into_iter().fold(Consent::default(), |consent, purpose| consent.with(purpose, true))
}

pub fn of(event: &str) -> Matching {
    Matching { event: event.to_owned(), properties: Vec::new() }
}

pub fn having(event: &str, path: &str, value: &str) -> Matching {
    Matching { event: event.to_owned(), properties: vec![(path.to_owned(), Expected::Text(value.to_owned()))] }
}

pub fn trait_rule(name: &str, kind: &str, settle: Settle) -> TraitRule {
    let purpose = PurposeName("personalization".to_owned());
    let sources = ["crm", "import:till"].map(str::to_owned).to_vec();
    TraitRule { name: name.to_owned(), kind: kind.to_owned(), purpose, settle, sources, ..TraitRule::default() }
}

fn counter(id: u32, matching: Matching, sum: Option<&str>, windows: &[i64]) -> Counter {
    Counter { id, matching, sum: sum.map(str::to_owned), windows: windows.to_vec() }
}

pub fn reading(path: &str, what: What) -> Reading {
    Reading { path: path.to_owned(), what, on_pages: true, slots: Vec::new() }
}

/// Everything that can be read by these rules.
pub fn whats() -> Vec<What> {
    let text = str::to_owned;
    let mut all = vec![
        What::Count(1, 7 * DAY),
        What::Count(1, 30 * DAY),
        What::Count(1, 6 * HOUR),
        What::Count(1, HOUR / 2),
        What::Count(1, 0),
        What::Count(2, DAY),
        What::Sum(3, 90 * DAY),
        What::Sum(3, 0),
        What::First(1),
        What::Last(3),
        What::FirstSeen,
        What::LastSeen,
        What::Sessions,
        What::SessionPages,
        What::SessionStarted,
        What::Affinity(text("category")),
        What::Affinities(text("category")),
        What::AffinityShare(text("category"), text("shoes")),
        What::Affinity(text("brand")),
        What::RfmSegment,
        What::RfmRecency,
        What::RfmFrequency,
        What::RfmMonetary,
        What::Lifecycle,
        What::Engagement,
        What::Intent,
        What::Propensity(text("buy")),
        What::NpsScore,
        What::NpsCategory,
        What::Answer(text("size")),
        What::Feature(text("export")),
        What::FeatureCount(text("export")),
        What::CartQuantity,
        What::CartValue,
        What::CartUpdated,
        What::Milestone(text("third_order")),
        What::MilestoneReached(text("third_order")),
        What::Milestone(text("birthday")),
        What::MilestoneReached(text("birthday")),
    ];
    all.extend(["channel", "source", "medium", "campaign"].map(|part| What::FirstTouch(text(part))));
    all.extend(["channel", "source", "medium", "campaign"].map(|part| What::LastTouch(text(part))));
    all.extend(["plan", "size", "vip", "born", "points"].map(|name| What::Trait(text(name))));
    all
}

pub fn rules() -> Rules {
    let affinity = |dimension: &str, half_life: i64| Affinity {
        dimension: dimension.to_owned(),
        property: dimension.to_owned(),
        half_life,
        weights: vec![(of("Product Viewed"), ONE), (of("Product Added"), 3 * ONE), (of("Order Completed"), 5 * ONE)],
        cap: 20 * ONE,
        keep: 5,
        least: ONE / 2,
    };
    let milestone = |name: &str, matching: Option<Matching>, count: u32| Milestone {
        name: name.to_owned(),
        matching,
        count,
        lasts: 7 * DAY,
    };
    let experience = |id: &str, groups: &[&str]| ExperienceRule {
        id: id.to_owned(),
        sticky: true,
        capped: true,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        site: id != "quiet",
    };
    Rules {
        session: SessionRules::default(),
        attribution: 30 * DAY,
        events: vec![EventRule { name: "Order Completed".to_owned(), trusted: true, ..EventRule::default() }],
        traits: vec![
            trait_rule("plan", "string", Settle::Latest),
            trait_rule("size", "int", Settle::First),
            trait_rule("vip", "bool", Settle::Source),
            trait_rule("born", "timestamp", Settle::Latest),
            trait_rule("points", "double", Settle::Largest),
        ],
        counters: vec![
            counter(1, of("Product Viewed"), None, &[7 * DAY, 30 * DAY, 6 * HOUR, HOUR / 2]),
            counter(2, having("Product Viewed", "category", "shoes"), None, &[DAY]),
            counter(3, of("Order Completed"), Some("revenue"), &[90 * DAY]),
            counter(4, of("page"), None, &[400 * DAY]),
        ],
        affinities: vec![affinity("category", 7 * DAY), affinity("brand", 30 * DAY)],
        rfm: Some(Rfm { event: "Order Completed".to_owned(), value: "revenue".to_owned(), trusted: false }),
        lifecycle: Lifecycle::default(),
        engagement: Engagement {
            half_life: 7 * DAY,
            weights: vec![(of("page"), ONE), (of("Product Viewed"), ONE), (of("Order Completed"), 10 * ONE)],
            levels: [5 * ONE, 15 * ONE],
        },
        intent: Intent {
            half_life: HOUR / 4,
            least: ONE,
            signals: vec![
                ("bargain_hunter".to_owned(), vec![(having("Product Viewed", "brand", "b1"), 2 * ONE)]),
                ("ready_to_buy".to_owned(), vec![(of("Product Added"), 3 * ONE), (of("Cart Viewed"), ONE)]),
            ],
        },
        propensities: vec![Propensity {
            name: "buy".to_owned(),
            intercept: -2 * ONE,
            coefficients: vec![
                (What::Count(1, 7 * DAY), ONE / 5),
                (What::CartQuantity, ONE / 2),
                (What::LastSeen, -ONE / 10),
                (What::AffinityShare("category".to_owned(), "shoes".to_owned()), ONE / 100),
            ],
        }],
        features: vec![Feature { name: "export".to_owned(), matching: of("Exported"), adopted: 3, left: 30 * DAY }],
        milestones: vec![milestone("third_order", Some(of("Order Completed")), 3), milestone("birthday", None, 1)],
        cart: Cart::default(),
        readings: whats().into_iter().map(|what| reading(&format!("profile.{what:?}"), what)).collect(),
        experiences: vec![experience("hero", &["top"]), experience("promo", &["top", "all"]), experience("quiet", &[])],
        ..Rules::default()
    }
}

/// An event from a few small numbers: which kind, of what, when.
pub fn event(kind: u8, of: u8, source: u8, at: i64) -> Event<'static> {
    let id = format!("{kind}-{of}-{source}-{at}");
    let text = |prefix: &str, number: u8| Scalar::Text(format!("{prefix}{number}").into());
    let mut event = Event::new(id, at, EventKind::Track);
    event.consent = consent();
    event.source = ["browser", "browser", "crm", "import:till", "shop", VISITOR][usize::from(source % 6)].into();
    event.offset = [0, 7200, -3600][usize::from(source % 3)];
    let product = || {
        let mut product = Product::default();
        product.put("product_id", text("p", of % 4));
        product.put("price", Scalar::Number(i64::from(of % 7 + 1) * ONE));
        product.put("quantity", Scalar::Number(i64::from(of % 3 + 1) * ONE));
        product.put("category", Scalar::Text(["shoes", "hats", "coats"][usize::from(of % 3)].into()));
        product.put("brand", text("b", of % 4));
        product
    };
    let one_product = |event: &mut Event<'static>| {
        let product = product();
        event.properties.extend(product.properties.clone());
        event.products.push(product);
    };
    match kind % 13 {
        0 => {
            event.kind = EventKind::Page;
            let source = ["", "", "google", "newsletter"][usize::from(of % 4)].to_owned();
            let medium = if source.is_empty() { "" } else { "cpc" }.to_owned();
            let campaign = if source.is_empty() { String::new() } else { format!("c{}", of % 5) };
            event.touch = Some(Touch { at, source, medium, campaign, ..Touch::default() });
        }
        1 | 2 => {
            event.name = "Product Viewed".into();
            one_product(&mut event);
        }
        3 => {
            event.kind = EventKind::Identify;
            let value = i64::from(of) * ONE;
            event.traits = vec![
                ("plan".into(), text("plan", of % 3)),
                ("size".into(), Scalar::Number(value)),
                ("vip".into(), Scalar::Bool(of.is_multiple_of(2))),
                ("born".into(), Scalar::Number(value)),
                ("points".into(), Scalar::Number(value / 3)),
                ("undeclared".into(), Scalar::Number(value)),
            ];
            // A visitor may say that there is to be no value.
            if event.source == VISITOR && of.is_multiple_of(3) {
                event.traits.iter_mut().for_each(|(_, value)| *value = Scalar::Text("".into()));
            }
        }
        4 => {
            event.name = "Order Completed".into();
            event.trusted = !of.is_multiple_of(4);
            event.properties.push(("revenue".into(), Scalar::Number(i64::from(of) * ONE / 2)));
        }
        5 => {
            event.kind = EventKind::Exposure;
            let experience = ["hero", "promo", "quiet", "unknown"][usize::from(of % 4)];
            event.properties.push(("experience".into(), Scalar::Text(experience.into())));
            event.properties.push(("variant".into(), Scalar::Number(i64::from(of % 3) * ONE)));
        }
        6 => {
            event.name = "Question Answered".into();
            event.properties.push(("question".into(), Scalar::Text(["size", "style"][usize::from(of % 2)].into())));
            event.properties.push(("answer".into(), text("a", of)));
        }
        7 => {
            event.name = "NPS Answered".into();
            event.properties.push(("score".into(), Scalar::Number(i64::from(of % 12) * ONE)));
        }
        8 => event.name = "Exported".into(),
        9 => {
            event.name = "Product Added".into();
            one_product(&mut event);
        }
        10 => {
            event.name = "Product Removed".into();
            one_product(&mut event);
        }
        11 => {
            event.name = "Cart Viewed".into();
            event.products.push(product());
        }
        _ => event.name = "Nothing Asked For".into(),
    }
    event
}

/// The same without a cart.
pub fn without_cart() -> Rules {
    let [added, removed, viewed, ordered] = [const { String::new() }; 4];
    Rules { cart: Cart { added, removed, viewed, ordered }, ..rules() }
}

/// Some events within so many milliseconds, each at an instant of its own, in their order.
pub fn events(most: usize, length: i64) -> impl Strategy<Value = Vec<Event<'static>>> {
    // Close to one another or far apart.
    let at = prop_oneof![0..length, 0..length / 100, (0..length / DAY + 1).prop_map(|day| day * DAY)];
    let one = (0u8..13, any::<u8>(), any::<u8>(), at);
    prop::collection::vec(one, 0..most).prop_map(|all| {
        let mut events: Vec<Event> = all.into_iter().map(|(kind, of, source, at)| event(kind, of, source, NOW + at)).collect();
        events.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        events.dedup_by_key(|event| event.at);
        events
    })
}

/// All events, in the order in which they are given.
pub fn folded<'a>(rules: &Rules, events: impl IntoIterator<Item = &'a Event<'static>>) -> State {
    events.into_iter().fold(State::default(), |mut state, event| {
        state.fold(rules, event);
        state
    })
}

/// All events, each as if it came late.
pub fn folded_late<'a>(rules: &Rules, events: impl IntoIterator<Item = &'a Event<'static>>) -> State {
    events.into_iter().fold(State::default(), |mut state, event| {
        state.fold_late(rules, event);
        state
    })
}

pub fn merged(rules: &Rules, one: &State, other: &State) -> State {
    let mut whole = one.clone();
    whole.merge(rules, other);
    whole
}
