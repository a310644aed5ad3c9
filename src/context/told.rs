//! What the request says of the visitor in so many words: place and network from Cloudflare's `request.cf`, the window's size from
//! client hints. Read tolerantly: any of it may be missing or odd.

use super::sent::{Header, Sent};
use super::{Context, Field, Kind, Value};
use crate::address::Address;
use crate::text::trim;

#[inline(never)]
pub(super) fn derive(context: &mut Context, sent: &Sent<'_>) {
    for (text, field) in sent.cf.iter().zip(Field::GeoCountry as u32..) {
        read(context, field, text);
    }
    // Cloudflare sends "1" for the European Union and leaves the field out elsewhere.
    if context.text(Field::GeoCountry).is_some() && context.get(Field::GeoIsEu as u32).is_none() {
        context.set_bool(Field::GeoIsEu, false);
    }
    let address = trim(sent.header(Header::ConnectingIp));
    if Address::parse(address).is_some() {
        context.set_text(Field::NetworkIp, address);
    }
    read(context, Field::DeviceViewportWidth as u32, sent.header(Header::OldViewportWidth));
    read(context, Field::DeviceViewportWidth as u32, sent.header(Header::ViewportWidth));
    read(context, Field::DeviceViewportHeight as u32, sent.header(Header::ViewportHeight));
}

/// Sets a field to what a text says, where that can be.
#[inline(never)]
fn read(context: &mut Context, field: u32, text: &str) {
    let (kind, least, most) = range(field);
    if text.is_empty() {
        return;
    }
    let Some(value) = Value::parse(kind, text) else { return };
    let number = match value {
        Value::Int(number) => number as f64,
        Value::Double(number) => number,
        _ => 0.0,
    };
    if (least..=most).contains(&number) {
        context.put(field as usize, Some(value));
    }
}

/// The kind of a field that is told, and the least and the most that it can be.
fn range(field: u32) -> (Kind, f64, f64) {
    match field {
        _ if field == Field::GeoLatitude as u32 => (Kind::Double, -90.0, 90.0),
        _ if field == Field::GeoLongitude as u32 => (Kind::Double, -180.0, 180.0),
        _ if field == Field::NetworkAsn as u32 => (Kind::Int, 0.0, f64::from(u32::MAX)),
        _ if field == Field::NetworkBotScore as u32 => (Kind::Int, 1.0, 99.0),
        // No screen has more pixels on a side.
        _ if field == Field::DeviceViewportWidth as u32 || field == Field::DeviceViewportHeight as u32 => {
            (Kind::Int, 1.0, 100_000.0)
        }
        _ if field == Field::GeoIsEu as u32 || field == Field::NetworkVerifiedBot as u32 => (Kind::Bool, 0.0, 0.0),
        _ => (Kind::String, 0.0, 0.0),
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::super::sent::CF_COUNT;
    use super::*;
    use crate::context::FIELDS;

    #[test]
    fn kinds_are_those_of_the_fields() {
        let told = (Field::GeoCountry as usize..).take(CF_COUNT);
        for field in told.chain([Field::DeviceViewportWidth as usize, Field::DeviceViewportHeight as usize]) {
            assert_eq!(range(field as u32).0, FIELDS[field].kind, "{}", FIELDS[field].path);
        }
    }
}
