//! Which of the manifest's places is nearest to the visitor.

use super::{Context, Field, Value, is_among};
use crate::geo::{kilometres, point};
use crate::program::Program;

/// Sets the three fields of each list, but for those that were overridden. The visitor's place is the one that decides,
/// overrides of it included.
#[inline(never)]
pub(super) fn derive(context: &mut Context, program: &Program, overridden: &[u32]) {
    let degrees = |field: Field| match context.get(field as u32) {
        Some(Value::Double(degrees)) => Some(*degrees),
        _ => None,
    };
    let (Some(latitude), Some(longitude)) = (degrees(Field::GeoLatitude), degrees(Field::GeoLongitude)) else { return };
    let lists = program.place_lists();
    if lists.len() == 0 {
        return;
    }
    let from = point(latitude, longitude);
    for (field, places) in lists {
        let Some(nearest) = program.nearest_place(places, from) else { continue };
        let values = [
            Some(Value::String(nearest.id.to_owned())),
            nearest.name.map(|name| Value::String(name.to_owned())),
            Some(Value::Double(kilometres(nearest.square))),
        ];
        // A forged list may begin at any number: `field..` would run over.
        for (field, value) in (0..).map(|place| field.saturating_add(place)).zip(values) {
            if !is_among(overridden, field) {
                context.put(field as usize, value);
            }
        }
    }
}
