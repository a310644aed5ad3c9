//! A canonical event, JSON as it is stored (docs/events.md), as the core folds it.

use crate::host;
use idoine::consent::{Consent, Purpose};
use idoine::learn::{Event, EventKind, Product, Scalar, VISITOR};
use idoine::touch::Touch;
use idoine::{Context, Offsets, Program, Request};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The most properties of an event, and of a product.
const MOST_PROPERTIES: usize = 64;

/// The most products of an event.
const MOST_PRODUCTS: usize = 100;

/// An event; `None` for what is none.
pub fn read<'a>(program: &Program, value: &'a Value) -> Option<Event<'a>> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let at = value.get("timestamp")?.as_i64()?;
    let mut event = Event::new(text("messageId")?, at, EventKind::from_name(text("type")?)?);
    event.source = Cow::Borrowed(text("source").unwrap_or("browser"));
    event.name = Cow::Borrowed(
        match event.kind {
            EventKind::Track => text("event"),
            EventKind::Page => text("name"),
            _ => None,
        }
        .unwrap_or_default(),
    );
    if let Some(Value::Object(properties)) = value.get("properties") {
        scalars("", properties, &mut event.properties);
        event.products = products(properties);
    }
    if let (EventKind::Identify, Some(Value::Object(traits))) = (event.kind, value.get("traits")) {
        let said = |value: &'a Value| match value {
            // A visitor may say that there is to be no value.
            Value::Null if event.source == VISITOR => Some(Scalar::Text(Cow::Borrowed(""))),
            value => scalar(value),
        };
        event.traits = traits.iter().filter_map(|(name, value)| Some((name.as_str().into(), said(value)?))).collect();
    }
    event.trusted = value.get("trusted") == Some(&Value::Bool(true));
    event.bot = value.get("bot") == Some(&Value::Bool(true));
    let purposes = value.get("consent").and_then(Value::as_array).into_iter().flatten();
    let purposes = purposes.filter_map(|name| Purpose::from_name(name.as_str()?));
    event.consent = purposes.fold(Consent::default(), |consent, purpose| consent.with(purpose, true));
    let zone = value.pointer("/context/timezone").and_then(Value::as_str);
    let offsets = zone.map(|zone| host::zone_offsets(zone, at)).unwrap_or_default();
    event.offset = offsets.at(at.div_euclid(1000)).unwrap_or(0);
    if event.kind == EventKind::Page {
        event.touch = touch(program, value, at, offsets);
    }
    Some(event)
}

pub(super) fn scalar(value: &Value) -> Option<Scalar<'_>> {
    match value {
        Value::Bool(flag) => Some(Scalar::Bool(*flag)),
        Value::Number(number) => Scalar::number(number.as_f64()?),
        Value::String(text) => Some(Scalar::Text(Cow::Borrowed(text))),
        _ => None,
    }
}

/// The scalars of an object by path, and of the objects in it.
fn scalars<'a>(prefix: &str, object: &'a Map<String, Value>, out: &mut Vec<(Cow<'a, str>, Scalar<'a>)>) {
    for (name, value) in object {
        if out.len() >= MOST_PROPERTIES {
            return;
        }
        let path = || if prefix.is_empty() { Cow::Borrowed(name.as_str()) } else { Cow::Owned(format!("{prefix}{name}")) };
        match (scalar(value), value) {
            (Some(scalar), _) => out.push((path(), scalar)),
            (None, Value::Object(inner)) if prefix.is_empty() => scalars(&format!("{name}."), inner, out),
            _ => {}
        }
    }
}

/// The products of an event: those that it lists, else the one that it is about.
fn products(properties: &Map<String, Value>) -> Vec<Product<'_>> {
    match properties.get("products") {
        Some(Value::Array(products)) => products.iter().filter_map(Value::as_object).take(MOST_PRODUCTS).map(product).collect(),
        _ if properties.contains_key("product_id") || properties.contains_key("sku") => vec![product(properties)],
        _ => Vec::new(),
    }
}

fn product(fields: &Map<String, Value>) -> Product<'_> {
    let mut product = Product::default();
    for (name, value) in fields.iter().take(MOST_PROPERTIES) {
        if let Some(value) = scalar(value) {
            product.put(name.as_str(), value);
        }
    }
    product
}

/// Where a page view came from, derived as for the page itself.
fn touch(program: &Program, value: &Value, at: i64, offsets: Offsets) -> Option<Touch> {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
    let page = text("/context/page/url").or_else(|| text("/properties/url"))?;
    let mut page = page.to_owned();
    // Clients tell of a campaign that is no longer in the address.
    if !page.contains("utm_") {
        for name in ["source", "medium", "name", "term", "content"] {
            if let Some(said) = text(&format!("/context/campaign/{name}")) {
                let end = page.find('#').unwrap_or(page.len());
                let start = if page.contains('?') { '&' } else { '?' };
                let name = if name == "name" { "campaign" } else { name };
                // Every byte escaped: a name is short, and seldom there.
                let value: String = said.bytes().map(|byte| format!("%{byte:02X}")).collect();
                page.insert_str(end, &format!("{start}utm_{name}={value}"));
            }
        }
    }
    let referrer = text("/context/page/referrer").or_else(|| text("/properties/referrer"));
    let headers = referrer.map(|referrer| ("referer".to_owned(), referrer.to_owned())).into_iter().collect();
    let request = Request { url: page, headers, now: at, offsets, ..Request::default() };
    Some(Touch::of(&Context::derive(program, &request)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct NoZones;

    impl idoine::compile::Zones for NoZones {
        fn offset(&self, _: &str, _: i64) -> Option<i32> {
            None
        }
    }

    fn program() -> Program {
        let manifest = r#"{ "site": { "id": "shop", "hosts": ["shop.example"] } }"#;
        idoine::compile::compile(manifest, &NoZones).unwrap()
    }

    #[test]
    fn an_order_is_read_with_its_products() {
        let order = json!({
            "messageId": "m1", "type": "track", "event": "Order Completed", "timestamp": 1_790_000_000_000_i64, "source": "erp",
            "trusted": true, "consent": ["analytics", "personalization", "nonsense"],
            "properties": {
                "revenue": 12.5, "coupon": null, "ship": { "to": "FR", "deep": { "er": 1 } }, "list": [1],
                "products": [{ "product_id": "p1", "price": 5, "quantity": 2, "category": "shoes" }, 7],
            },
            "traits": { "plan": "pro" },
        });
        let program = program();
        let event = read(&program, &order).unwrap();
        assert_eq!((event.id.as_ref(), event.name.as_ref(), event.source.as_ref()), ("m1", "Order Completed", "erp"));
        assert!(event.trusted && !event.bot && event.traits.is_empty() && event.touch.is_none());
        assert!(event.consent.has(Purpose::Analytics) && !event.consent.has(Purpose::Marketing));
        assert_eq!(event.property("revenue"), Some(&Scalar::Number(12_500_000)));
        assert_eq!(event.text("ship.to"), Some("FR"));
        assert_eq!(event.properties.len(), 2);
        let [product] = event.products.as_slice() else { panic!("{:?}", event.products) };
        assert_eq!((product.id.as_ref(), product.price, product.quantity), ("p1", 5_000_000, 2));
    }

    #[test]
    fn an_event_about_one_product_has_that_one() {
        let viewed = json!({ "messageId": "m", "type": "track", "event": "Product Viewed", "timestamp": 1,
            "properties": { "sku": "s", "category": "shoes" } });
        let program = program();
        let event = read(&program, &viewed).unwrap();
        assert_eq!(event.products.len(), 1);
        assert_eq!(event.products[0].field("category"), Some(Scalar::Text("shoes".into())));
    }

    #[test]
    fn a_page_view_says_where_it_came_from() {
        let page = |context: Value| json!({ "messageId": "m", "type": "page", "timestamp": 1, "context": context });
        let program = program();
        let source = |context: Value| {
            let value = page(context);
            let touch = read(&program, &value).unwrap().touch.unwrap();
            (touch.source, touch.medium, touch.campaign)
        };
        let url = "https://shop.example/a?x=1#top";
        let told = |source: &str, medium: &str, campaign: &str| (source.to_owned(), medium.to_owned(), campaign.to_owned());
        let campaign = json!({ "source": "news", "medium": "email", "name": "Été & co" });
        assert_eq!(source(json!({ "page": { "url": url }, "campaign": campaign })), told("news", "email", "Été & co"));
        let own = "https://shop.example/?utm_source=paper&utm_medium=print";
        assert_eq!(source(json!({ "page": { "url": own }, "campaign": campaign })), told("paper", "print", ""));
        let value = page(json!({}));
        assert_eq!(read(&program, &value).unwrap().touch, None);
    }

    #[test]
    fn what_is_no_event_is_none() {
        let program = program();
        for bad in [
            json!(null),
            json!([]),
            json!({ "messageId": "m", "type": "track" }),
            json!({ "messageId": "m", "type": "other", "timestamp": 1 }),
            json!({ "messageId": 1, "type": "track", "timestamp": 1 }),
            json!({ "messageId": "m", "type": "track", "timestamp": "2026-01-01" }),
        ] {
            assert!(read(&program, &bad).is_none(), "{bad}");
        }
    }
}
