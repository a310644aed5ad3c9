//! Place from Cloudflare's `request.cf`, read tolerantly: any of it may be missing or odd.

use super::{Context, Field, Request, Value};
use crate::number::parse_double;

#[inline(never)]
pub(super) fn derive(context: &mut Context, request: &Request) {
    for (field, name) in [
        (Field::GeoCountry, "country"),
        (Field::GeoContinent, "continent"),
        (Field::GeoRegion, "region"),
        (Field::GeoRegionCode, "regionCode"),
        (Field::GeoCity, "city"),
        (Field::GeoPostalCode, "postalCode"),
        (Field::GeoMetroCode, "metroCode"),
        (Field::GeoTimezone, "timezone"),
    ] {
        context.set_text(field, request.cf(name).unwrap_or_default());
    }
    for (field, name, limit) in [(Field::GeoLatitude, "latitude", 90.0), (Field::GeoLongitude, "longitude", 180.0)] {
        let degrees = request.cf(name).and_then(parse_double);
        if let Some(degrees) = degrees.filter(|degrees| (-limit..=limit).contains(degrees)) {
            context.set(field, Value::Double(degrees));
        }
    }
    // Cloudflare sends "1" for the European Union and leaves the field out elsewhere.
    let is_eu = request.cf("isEUCountry").map(|told| matches!(told, "1" | "true"));
    if let Some(is_eu) = is_eu.or(request.cf("country").map(|_| false)) {
        context.set(Field::GeoIsEu, Value::Bool(is_eu));
    }
}
