//! Reading what belongs to the context: holidays, places, the site's languages.

use super::layout::{NONE, Section, wide};
use super::{Program, Run, run};
use crate::geo::{Point, square_between};

/// The nearest place of a list.
pub(crate) struct Nearest<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: Option<&'a str>,
    /// See [`square_between`].
    pub(crate) square: f64,
}

impl Program {
    /// What the words of user agents mean (see `context/device/words.rs`).
    pub(crate) fn device_words(&self) -> &[u8] {
        self.raw(self.cell(Section::DeviceWords, 0, 0))
    }

    /// The client hints that tell a field which some experience reads, and which browsers send only to those who ask.
    pub fn client_hints(&self) -> impl Iterator<Item = &str> {
        self.column(Section::ClientHints, 0..usize::MAX).map(|hint| self.text(hint))
    }

    /// The languages of the site, in the order of the manifest.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.count(Section::Languages)).map(|index| self.text(self.cell(Section::Languages, index, 0)))
    }

    /// The lists of holidays: the field of each, and its dates.
    pub(crate) fn holidays(&self) -> impl Iterator<Item = (u32, Run)> {
        let lists = (0..self.count(Section::Holidays)).map_while(|index| self.record::<3>(Section::Holidays, index));
        lists.map(|[field, start, len]| (field, run(start, len)))
    }

    /// Whether one of two days stands in a list.
    pub(crate) fn is_listed(&self, dates: Run, days: [u32; 2]) -> bool {
        let [one, other] = days;
        self.column(Section::HolidayDates, dates).any(|date| date == one || date == other)
    }

    /// The lists of places: the first of the three fields of each, and its places.
    pub(crate) fn place_lists(&self) -> impl ExactSizeIterator<Item = (u32, Run)> {
        (0..self.count(Section::PlaceLists)).map(|index| {
            let [field, start, len] = self.record(Section::PlaceLists, index).unwrap_or([NONE, 0, 0]);
            (field, run(start, len))
        })
    }

    pub(super) fn place(&self, index: usize) -> Option<(u32, u32, Point)> {
        let [id, name, x, x_high, y, y_high, z, z_high] = self.record(Section::Places, index)?;
        let double = |low, high| f64::from_bits(wide(low, high));
        Some((id, name, [double(x, x_high), double(y, y_high), double(z, z_high)]))
    }

    /// The place of a list that is nearest to a point; of two equally near the one whose id comes first. The places stand by
    /// their height over the equator's plane. It goes up and down from the point's own height, and no further than where
    /// the height alone is more than the nearest so far.
    pub(crate) fn nearest_place(&self, places: Run, from: Point) -> Option<Nearest<'_>> {
        let places = places.start..places.end.min(self.count(Section::Places));
        let height = |index: usize| self.place(index).map_or(0.0, |(_, _, [.., z])| z);
        let (mut low, mut high) = (places.start, places.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if height(middle) < from[2] { low = middle + 1 } else { high = middle }
        }
        let mut nearest: Option<(f64, u32, u32)> = None;
        // Whether to go on.
        let mut consider = |index: usize| {
            let Some((id, name, place)) = self.place(index) else { return false };
            let (above, limit) = (place[2] - from[2], nearest.map_or(f64::INFINITY, |(square, ..)| square));
            if above * above > limit {
                return false;
            }
            let square = square_between(place, from);
            // A forged place that is no number is never near.
            if square < limit || (square == limit && nearest.is_some_and(|(_, other, _)| self.raw(id) < self.raw(other))) {
                nearest = Some((square, id, name));
            }
            true
        };
        let (mut above, mut below) = (low, low);
        while above < places.end && consider(above) {
            above += 1;
        }
        while below > places.start && consider(below - 1) {
            below -= 1;
        }
        let (square, id, name) = nearest?;
        Some(Nearest { id: self.text(id), name: (name != NONE).then(|| self.text(name)), square })
    }
}

#[cfg(test)]
mod tests {
    use crate::Program;
    use crate::compile::{Zones, compile};
    use crate::geo::{point, square_between};
    use proptest::prelude::*;

    struct None;

    impl Zones for None {
        fn offset(&self, _: &str, _: i64) -> Option<i32> {
            Option::None
        }
    }

    fn program(places: &[(f64, f64)]) -> Program {
        let places = places.iter().enumerate().map(|(index, (latitude, longitude))| {
            (format!("p{index:03}"), serde_json::json!({ "latitude": latitude, "longitude": longitude }))
        });
        let places: serde_json::Map<_, _> = places.collect();
        let manifest = serde_json::json!({ "site": { "id": "x" }, "places": { "a": { "one": { "latitude": 1, "longitude": 1 } }, "b": places } });
        compile(&manifest.to_string(), &None).unwrap_or_else(|errors| panic!("{errors:#?}"))
    }

    /// Whole degrees, so that some places are the same one, and some equally near.
    fn place() -> impl Strategy<Value = (f64, f64)> {
        (prop_oneof![-90i32..=90, -3i32..=3], prop_oneof![-180i32..=180, -3i32..=3]).prop_map(|(a, b)| (a.into(), b.into()))
    }

    proptest! {
        #[test]
        fn the_nearest_place_is_the_one_that_a_look_at_all_of_them_finds(
            places in prop::collection::vec(place(), 1..60), from in place(),
        ) {
            let program = program(&places);
            let from = point(from.0, from.1);
            let squares = places.iter().enumerate().map(|(index, place)| (square_between(point(place.0, place.1), from), index));
            let (square, index) = squares.min_by(|a, b| a.partial_cmp(b).unwrap()).unwrap();
            let (_, list) = program.place_lists().nth(1).unwrap();
            let (found, id) = (program.nearest_place(list, from).unwrap(), format!("p{index:03}"));
            prop_assert_eq!((found.square, found.id), (square, id.as_str()));
        }
    }
}
