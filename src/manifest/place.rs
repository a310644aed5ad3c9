//! Places and holidays of the manifest.

#[cfg(feature = "schema")]
use super::read::object_schema;
use super::read::{List, Named, Read, Reader, Spanned, object};
use crate::number::parse_double;

/// Lists of days, by name.
pub type Holidays = Named<List<Spanned<String>>>;

/// Lists of places, by name; in each, places by id.
pub type Places = Named<Named<Place>>;

object! { "A place on the earth." Place {
    required latitude "latitude": Degrees<90> = "Its latitude in degrees, -90 to 90.";
    required longitude "longitude": Degrees<180> = "Its longitude in degrees, -180 to 180.";
    optional name "name": Spanned<String> = "What people call it, for `places.<list>.name`.";
} }

/// An angle of at most so many degrees on either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Degrees<const MOST: i16>(pub f64);

impl<const MOST: i16> Read for Degrees<MOST> {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match parse_double(reader.number()) {
            Some(degrees) if degrees.abs() <= f64::from(MOST) => Some(Degrees(degrees)),
            _ => reader.expected(&format!("degrees from -{MOST} to {MOST}")),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "number", "minimum": -MOST, "maximum": MOST })
    }
}
