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
        let text = |text: Option<&str>| text.map(|text| Value::String(text.to_owned()));
        let mut put = |place, value| {
            // A forged list may begin at any number: a sum would run over.
            let field = field.saturating_add(place);
            if !is_among(overridden, field) {
                context.put(field as usize, value);
            }
        };
        put(0, text(Some(nearest.id)));
        put(1, text(nearest.name));
        put(2, Some(Value::Double(kilometres(nearest.square))));
    }
}
