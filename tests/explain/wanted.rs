//! What each clause of an audience would have to be, one by one.

use super::*;

/// What one clause would have to be: in words, by its relation, and with the values that do it (none: no overrides).
#[test]
fn why_not_says_what_each_clause_would_have_to_be() {
    for (audience, expected, relation, overrides) in [
        ("geo.country in ['FR', 'BE']", "geo.country is 'DE'; it would have to be 'FR' or 'BE'", "is", "geo.country=FR"),
        ("network.asn in [1, 2, 3]", "network.asn is 12; it would have to be 1, 2 or 3", "is", "network.asn=1"),
        ("'FR' == geo.country", "geo.country is 'DE'; it would have to be 'FR'", "is", "geo.country=FR"),
        ("geo.country != 'DE'", "geo.country is 'DE'; it would have to be anything but 'DE'", "is_not", "geo.country=FR"),
        (
            "!(geo.country in ['DE', 'other'])",
            "geo.country is 'DE'; it would have to be anything but 'DE' or 'other'",
            "is_not",
            "geo.country=FR",
        ),
        ("!geo.is_eu", "geo.is_eu is true; it would have to be false", "is", "geo.is_eu=false"),
        ("geo.is_eu == false", "geo.is_eu is true; it would have to be false", "is", "geo.is_eu=false"),
        ("geo.is_eu != true", "geo.is_eu is true; it would have to be anything but true", "is_not", "geo.is_eu=false"),
        ("geo.city == 'Lyon'", "geo.city is not known; it would have to be 'Lyon'", "is", "geo.city=Lyon"),
        ("geo.city == ''", "geo.city is not known; it would have to be ''", "is", ""),
        ("has(geo.city)", "geo.city is not known; it would have to be known", "known", "geo.city=x"),
        ("has(time.hour)", "time.hour is not known; it would have to be known", "known", "time.hour=1"),
        (
            "has(profile.since)",
            "profile.since needs consent for personalization; it would have to be known",
            "known",
            "consent.personalization=true profile.since=1970-01-01T00:00:00Z",
        ),
        ("!has(geo.country)", "geo.country is 'DE'; it would have to be absent", "absent", "geo.country="),
        (
            "profile.plan == 'gold'",
            "profile.plan needs consent for personalization; it would have to be 'gold'",
            "is",
            "consent.personalization=true profile.plan=gold",
        ),
        ("network.asn > 20", "network.asn is 12; it would have to be above 20", "above", "network.asn=21"),
        ("network.asn > 20.5", "network.asn is 12; it would have to be above 20.5", "above", "network.asn=21"),
        ("20 <= network.asn", "network.asn is 12; it would have to be at least 20", "at_least", "network.asn=20"),
        ("!(network.asn >= 10)", "network.asn is 12; it would have to be below 10", "below", "network.asn=9"),
        ("network.asn <= 10", "network.asn is 12; it would have to be at most 10", "at_most", "network.asn=10"),
        ("!(network.asn < 20)", "network.asn is 12; it would have to be at least 20", "at_least", "network.asn=20"),
        ("geo.latitude < 50.5", "geo.latitude is 52.52; it would have to be below 50.5", "below", "geo.latitude=49.5"),
        ("geo.latitude == 50", "geo.latitude is 52.52; it would have to be 50", "is", "geo.latitude=50"),
        (
            "version(device.os_version) >= version('17')",
            "version(device.os_version) is version('16.1'); it would have to be at least version('17')",
            "at_least",
            "device.os_version=17",
        ),
        (
            "version(device.browser_version) >= version('17')",
            "device.browser_version is not known; version(device.browser_version) would have to be at least version('17')",
            "at_least",
            "device.browser_version=17",
        ),
        (
            "geo.country.lowerAscii() == 'fr'",
            "geo.country.lowerAscii() is 'de'; it would have to be 'fr'",
            "is",
            "geo.country=FR",
        ),
        ("int(page.query.size) == 5", "int(page.query.size) has no value; it would have to be 5", "is", "page.query=size=5"),
        (
            "int(geo.postal_code) == 5",
            "geo.postal_code is not known; int(geo.postal_code) would have to be 5",
            "is",
            "geo.postal_code=5",
        ),
        (
            "duration(geo.postal_code) == duration('90m')",
            "geo.postal_code is not known; duration(geo.postal_code) would have to be duration('1h30m')",
            "is",
            "geo.postal_code=1h30m",
        ),
        (
            "'fr' in language.accepted",
            "language.accepted is ['de', 'en']; it would have to contain 'fr'",
            "contains",
            "language.accepted=de,en,fr",
        ),
        ("'a,b' in language.accepted", "language.accepted is ['de', 'en']; it would have to contain 'a,b'", "contains", ""),
        (
            "!('en' in language.accepted)",
            "language.accepted is ['de', 'en']; it would have to be without 'en'",
            "contains_not",
            "language.accepted=de",
        ),
        (
            "page.path.startsWith('/sale')",
            "page.path is '/'; it would have to start with '/sale'",
            "starts_with",
            "page.path=/sale",
        ),
        (
            "!page.path.startsWith('/')",
            "page.path is '/'; it would have to start with anything but '/'",
            "starts_not_with",
            "page.path=other",
        ),
        ("page.path.endsWith('.html')", "page.path is '/'; it would have to end with '.html'", "ends_with", "page.path=.html"),
        (
            "!page.path.endsWith('/')",
            "page.path is '/'; it would have to end with anything but '/'",
            "ends_not_with",
            "page.path=other",
        ),
        ("page.path.contains('shoes')", "page.path is '/'; it would have to contain 'shoes'", "contains", "page.path=shoes"),
        (
            "!page.url.contains('shop')",
            "page.url is 'https://shop.example/?size=m&size=l'; it would have to be without 'shop'",
            "contains_not",
            "page.url=other",
        ),
        (
            "page.path.glob('/products/*')",
            "page.path is '/'; it would have to match '/products/*'",
            "matches",
            "page.path=/products/",
        ),
        ("!page.path.glob('*')", "page.path is '/'; it would have to match anything but '*'", "matches_not", ""),
        ("page.query.size == 'xl'", "page.query.size is 'm'; it would have to be 'xl'", "is", "page.query=size=xl"),
        (
            "has(page.query.color)",
            "page.query.color is not known; it would have to be known",
            "known",
            "page.query=size=m&color=x",
        ),
        ("!has(page.query.size)", "page.query.size is 'm'; it would have to be absent", "absent", ""),
        (
            "geo.distance_km(52.52, 13.4) > 5.0",
            "geo.distance_km(52.52, 13.4) is 0.0; it would have to be above 5.0",
            "above",
            "",
        ),
        (
            "cidr('10.0.0.0/8').containsIP(network.ip)",
            "network.ip is '192.0.2.7'; it would have to be in cidr('10.0.0.0/8')",
            "within",
            "",
        ),
        (
            "!cidr('192.0.2.0/24').containsIP(network.ip)",
            "network.ip is '192.0.2.7'; it would have to be outside cidr('192.0.2.0/24')",
            "not_within",
            "",
        ),
        (
            "ip(network.ip) == ip('192.0.2.8')",
            "ip(network.ip) is ip('192.0.2.7'); it would have to be ip('192.0.2.8')",
            "is",
            "network.ip=192.0.2.8",
        ),
        (
            "time.now > timestamp('2026-12-24T18:00:00Z')",
            "time.now is timestamp('2026-11-20T12:30:00Z'); it would have to be above timestamp('2026-12-24T18:00:00Z')",
            "above",
            "time.now=2026-12-24T18:00:01Z",
        ),
        (
            "time.now - timestamp('2026-11-20T00:00:00Z') > duration('24h')",
            "time.now - timestamp('2026-11-20T00:00:00Z') is duration('12h30m'); it would have to be above duration('24h')",
            "above",
            "",
        ),
        (
            "language.accepted.map(x, x + '!') == ['fr!']",
            "language.accepted.map(x, x + '!') is ['de!', 'en!']; it would have to be ['fr!']",
            "is",
            "",
        ),
        (
            "language.accepted.all(x, x == geo.country)",
            "language.accepted.all(x, x == geo.country) is false; it would have to be true (language.accepted is ['de', 'en'], geo.country is 'DE')",
            "",
            "",
        ),
        (
            "geo.country == geo.region",
            "geo.country == geo.region is false; it would have to be true (geo.country is 'DE', geo.region is 'Berlin')",
            "",
            "",
        ),
        (
            "geo.latitude < geo.longitude",
            "geo.latitude < geo.longitude is false; it would have to be true (geo.latitude is 52.52, geo.longitude is 13.4)",
            "",
            "",
        ),
        (
            "geo.latitude <= geo.longitude",
            "geo.latitude <= geo.longitude is false; it would have to be true (geo.latitude is 52.52, geo.longitude is 13.4)",
            "",
            "",
        ),
        (
            "geo.country in language.accepted",
            "geo.country in language.accepted is false; it would have to be true (geo.country is 'DE', language.accepted is ['de', 'en'])",
            "",
            "",
        ),
        (
            "geo.country.contains(geo.region)",
            "geo.country.contains(geo.region) is false; it would have to be true (geo.country is 'DE', geo.region is 'Berlin')",
            "",
            "",
        ),
        (
            "geo.country.startsWith(geo.region)",
            "geo.country.startsWith(geo.region) is false; it would have to be true (geo.country is 'DE', geo.region is 'Berlin')",
            "",
            "",
        ),
        ("geo.is_eu && 1 > 2", "geo.is_eu && 2 < 1 is true for nobody", "", ""),
        ("!(geo.is_eu && network.asn == 12 && 1 < 2)", "geo.is_eu is true; it would have to be false", "is", "geo.is_eu=false"),
    ] {
        let (json, _) = why_not(&site(audience), &german(), 0);
        let changes = json["changes"].as_array().unwrap();
        let texts: Vec<_> = changes.iter().map(|change| change["text"].as_str().unwrap()).collect();
        assert_eq!(texts, [expected], "{audience}");
        assert_eq!(changes[0]["must"]["relation"].as_str().unwrap_or_default(), relation, "{audience}");
        let found = json["overrides"].as_object().into_iter().flatten();
        let found: Vec<_> = found.map(|(path, text)| format!("{path}={}", text.as_str().unwrap())).collect();
        assert_eq!(found.join(" "), overrides, "{audience}");
    }
    let many: Vec<String> = (100..125).map(|number| number.to_string()).collect();
    let named = "100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119";
    let expected = format!("network.asn is 12; it would have to be {named} or one of 5 more");
    assert_eq!(words(&format!("network.asn in [{}]", many.join(", "))), [expected]);
}
