//! Place and network from Cloudflare's `request.cf`, read tolerantly: any of it may be missing or odd.

use super::{Context, Field, Request, Value};
use crate::number::parse_double;

pub(super) fn derive(context: &mut Context, request: &Request) {
    for (field, name) in [
        (Field::GeoCountry, "country"),
        (Field::GeoContinent, "continent"),
        (Field::GeoRegion, "region"),
        (Field::GeoRegionCode, "regionCode"),
        (Field::GeoCity, "city"),
        (Field::GeoPostalCode, "postalCode"),
        (Field::GeoTimezone, "timezone"),
        (Field::NetworkOrganization, "asOrganization"),
    ] {
        context.set_text(field, request.cf(name).unwrap_or_default());
    }
    for (field, name, limit) in [(Field::GeoLatitude, "latitude", 90.0), (Field::GeoLongitude, "longitude", 180.0)] {
        let degrees = request.cf(name).and_then(parse_double);
        if let Some(degrees) = degrees.filter(|degrees| (-limit..=limit).contains(degrees)) {
            context.set(field, Value::Double(degrees));
        }
    }
    if let Some(asn) = request.cf("asn").and_then(|text| text.parse::<u32>().ok()) {
        context.set(Field::NetworkAsn, Value::Int(i64::from(asn)));
    }
    // Cloudflare sends "1" for the European Union and leaves the field out elsewhere.
    if request.cf("country").is_some() {
        context.set(Field::GeoIsEu, Value::Bool(matches!(request.cf("isEUCountry"), Some("1" | "true"))));
    }
}
