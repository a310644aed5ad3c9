//! The values that are proposed are those that some visitor may have.

use super::decisions::{shows, site};
use super::why_not;
use serde_json::{Value, json};

/// What would have to change, and with which values.
fn asked(audience: &str, values: &Value) -> (Vec<String>, Value) {
    let weather = json!({ "weather": { "url": "https://weather.example/", "fields": {
        "sky": { "type": "string", "path": "sky", "enum": ["clear", "cloudy"] }, "wind": { "type": "string", "path": "wind" },
    } } });
    let more = json!({
        "traits": {
            "plan": { "type": "string", "purpose": "analytics", "enum": ["free", "pro"] },
            "tags": { "type": "strings", "purpose": "analytics", "enum": ["a", "b"] },
            "score": { "type": "int", "purpose": "analytics" },
        },
        "enrichments": weather,
        "site": { "id": "possible", "languages": ["fr", "en"] },
        "places": { "stores": { "north": { "latitude": 60, "longitude": 10 }, "south": { "latitude": 36, "longitude": 10 } } },
    });
    let other = shows("other", "foot", &json!({ "audience": "profile.plan == 'free' || 'b' in profile.tags" }));
    let program = site(&json!([shows("x", "hero", &json!({ "audience": audience })), other]), &more);
    let number = (0..2).find(|index| program.experience_id(*index) == "x").unwrap();
    let mut all = json!({ "consent.analytics": true });
    all.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    let (json, _) = why_not(&program, &all, number);
    for change in json["changes"].as_array().unwrap() {
        assert_eq!(change["never"] == true, change["text"].as_str().unwrap().ends_with(", which it never is"), "{change:#}");
    }
    let texts = json["changes"].as_array().unwrap().iter().map(|change| change["text"].as_str().unwrap().to_owned());
    (texts.collect(), json["overrides"].clone())
}

#[test]
fn values_are_of_what_the_field_can_be() {
    for (audience, path, value) in [
        ("device.type != 'desktop'", "device.type", "mobile"),
        ("device.type != 'desktop' && device.type != 'mobile'", "device.type", "tablet"),
        ("has(device.browser)", "device.browser", "chrome"),
        ("geo.continent != 'EU'", "geo.continent", "AF"),
        ("has(geo.country)", "geo.country", "FR"),
        ("!(geo.country in ['DE', 'FR'])", "geo.country", "US"),
        ("time.clock > '18:00'", "time.clock", "23:59"),
        ("has(time.date)", "time.date", "2026-01-01"),
        ("time.hour < 23 && time.hour > 21", "time.hour", "22"),
        ("time.weekday != 0 && time.weekday != 1", "time.weekday", "2"),
        ("network.bot_score < 2", "network.bot_score", "1"),
        ("has(places.stores.nearest)", "places.stores.nearest", "south"),
        ("places.stores.nearest != 'south'", "places.stores.nearest", "north"),
        ("language.site != 'fr'", "language.site", "en"),
        ("enrichment.weather.sky != 'clear'", "enrichment.weather.sky", "cloudy"),
        ("enrichment.weather.wind != 'north'", "enrichment.weather.wind", "other"),
        // What traits can be is seen from what they are compared with anywhere.
        ("has(profile.plan)", "profile.plan", "free"),
        ("profile.plan != 'pro'", "profile.plan", "free"),
        ("!('a' in profile.tags)", "profile.tags", "b"),
        ("profile.score != 5", "profile.score", "6"),
        ("geo.city != 'Lyon'", "geo.city", "other"),
    ] {
        let mut known = json!({ "device.type": "desktop", "geo.continent": "EU", "geo.country": "DE", "time.hour": 3,
            "time.weekday": 0, "profile.plan": "pro", "profile.tags": "a", "profile.score": 5, "geo.city": "Lyon",
            "language.site": "fr", "places.stores.nearest": "south", "enrichment.weather.sky": "clear", "enrichment.weather.wind": "north" });
        if audience.starts_with("has(") {
            known[path] = Value::Null;
        }
        assert_eq!(asked(audience, &known).1, json!({ path: value }), "{audience}");
    }
}

#[test]
fn what_no_value_is_is_said() {
    for audience in [
        "time.hour > 25",
        "time.weekday > 6",
        "time.month < 1",
        "time.day > 31",
        "time.day_of_year > 366",
        "time.week > 53",
        "time.minute > 59",
        "network.bot_score > 99",
        "device.type == 'fridge'",
        "device.color_scheme == 'blue'",
        "geo.continent == 'XX'",
        "places.stores.nearest.startsWith('e')",
    ] {
        let (texts, overrides) = asked(audience, &json!({}));
        assert!(texts[0].ends_with(", which it never is"), "{texts:?}");
        assert_eq!(overrides, Value::Null, "{audience}");
    }
    // Nothing is known of these: what would have to hold is said, and no value.
    for audience in [
        "geo.latitude > 90.0",
        "geo.longitude < -180.0",
        "network.asn < 0",
        "time.clock > '23:59'",
        "time.clock == '24:00'",
        "geo.country == 'fr'",
        "geo.country.startsWith('X')",
        "places.stores.distance_km < 0.0",
        "profile.plan != 'free' && profile.plan != 'pro'",
        "profile.plan.startsWith('g')",
        "source.channel != 'Direct'",
    ] {
        let (texts, overrides) = asked(audience, &json!({}));
        assert!(!texts[0].ends_with(", which it never is"), "{texts:?}");
        assert_eq!(overrides, Value::Null, "{audience}");
    }
    // Another way is taken where there is one; and none is known where others are read as well.
    let (texts, overrides) = asked("time.hour > 25 || geo.city == 'Lyon'", &json!({}));
    assert_eq!((texts.len(), overrides), (1, json!({ "geo.city": "Lyon" })));
    let (texts, _) = asked("time.hour > network.asn + 30", &json!({}));
    assert!(!texts[0].ends_with(", which it never is"), "{texts:?}");
}

/// What is proposed for a field that says what it can be is one of that.
#[cfg(feature = "schema")]
#[test]
fn the_lists_are_those_of_the_reference() {
    for field in idoine::context::FIELDS
        .iter()
        .filter(|field| ["device.type", "device.os", "device.browser", "device.app"].contains(&field.path))
    {
        let said = field.doc.replace(" (its own of old)", "").replace(" (built into an app)", "");
        let said = said.rsplit(": ").next().unwrap().replace(" or ", ", ");
        let said: Vec<&str> = said.split(", ").collect();
        for (index, value) in said.iter().enumerate() {
            let others: Vec<String> =
                said.iter().filter(|other| *other != value).map(|other| format!("{} != '{other}'", field.path)).collect();
            let expected = json!({ field.path: value });
            assert_eq!(asked(&others.join(" && "), &json!({ field.path: said[(index + 1) % said.len()] })).1, expected);
        }
        let none: Vec<String> = said.iter().map(|other| format!("{} != '{other}'", field.path)).collect();
        assert_eq!(asked(&none.join(" && "), &json!({})).1, Value::Null, "{}", field.path);
    }
}
