//! What the request says of the visitor in so many words: place and network from Cloudflare's `request.cf`, the window's size from
//! client hints. Read tolerantly: any of it may be missing or odd.

use super::{Context, Field, Request, Value};
use crate::address::Address;
use crate::program::Program;
use crate::text::{Cut, trim};

/// The names in `request.cf` of the fields from `GeoCountry` on, in their order; none where a field is not told there.
const CF: &str = "country|continent|region|regionCode|city|postalCode|metroCode|latitude|longitude|timezone|isEUCountry|asn|asOrganization||colo|httpProtocol|tlsVersion|botManagement.verifiedBot|botManagement.score";

#[inline(never)]
pub(super) fn derive(context: &mut Context, request: &Request, program: &Program) {
    for (name, field) in CF.parts(b'|').zip(Field::GeoCountry as u32..) {
        read(context, program, field, request.cf(name));
    }
    // Cloudflare sends "1" for the European Union and leaves the field out elsewhere.
    if request.cf("country").is_some() && context.get(Field::GeoIsEu as u32).is_none() {
        context.set(Field::GeoIsEu, Value::Bool(false));
    }
    let address = trim(request.header("cf-connecting-ip").unwrap_or_default());
    if Address::parse(address).is_some() {
        context.set_text(Field::NetworkIp, address);
    }
    // The standard's name counts more than the older one.
    for (field, name) in [
        (Field::DeviceViewportWidth, "viewport-width"),
        (Field::DeviceViewportWidth, "sec-ch-viewport-width"),
        (Field::DeviceViewportHeight, "sec-ch-viewport-height"),
    ] {
        read(context, program, field as u32, request.header(name));
    }
}

/// Sets a field to what a text says, where that can be.
fn read(context: &mut Context, program: &Program, field: u32, text: Option<&str>) {
    let (Some(kind), Some(text)) = (program.field_kind(field), text) else { return };
    let Some(value) = Value::parse(kind, text) else { return };
    let number = match value {
        Value::Int(number) => number as f64,
        Value::Double(number) => number,
        _ => 0.0,
    };
    let (least, most) = match field {
        _ if field == Field::GeoLatitude as u32 => (-90.0, 90.0),
        _ if field == Field::GeoLongitude as u32 => (-180.0, 180.0),
        _ if field == Field::NetworkAsn as u32 => (0.0, f64::from(u32::MAX)),
        _ if field == Field::NetworkBotScore as u32 => (1.0, 99.0),
        // No screen has more pixels on a side.
        _ if field == Field::DeviceViewportWidth as u32 || field == Field::DeviceViewportHeight as u32 => (1.0, 100_000.0),
        _ => (0.0, 0.0),
    };
    if (least..=most).contains(&number) {
        context.put(field as usize, Some(value));
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::context::FIELDS;

    #[test]
    fn the_names_are_those_of_the_fields() {
        let of = |field: Field| CF.split('|').nth(field as usize - Field::GeoCountry as usize);
        assert_eq!(of(Field::GeoLongitude), Some("longitude"));
        assert_eq!(of(Field::NetworkIp), Some(""));
        assert_eq!(of(Field::NetworkBotScore), Some("botManagement.score"));
        let last = Field::GeoCountry as usize + CF.split('|').count();
        assert!(
            FIELDS[Field::GeoCountry as usize..last]
                .iter()
                .all(|field| field.path.starts_with("geo.") || field.path.starts_with("network."))
        );
        assert!(FIELDS[last].path.starts_with("source."));
    }
}
