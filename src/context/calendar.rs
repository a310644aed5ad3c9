//! The visitor's local time, and whether it is a holiday.

use super::{Context, Field, Value, is_among};
use crate::number::push_int;
use crate::program::Program;
use crate::text::push;
use crate::time::{Civil, DAY_MS, Moment, parse_moment, push_two};
use crate::zone::jan_1;

/// A hundred million days around 1970: what a JavaScript `Date` can be.
const MOST_MILLIS: u64 = 8_640_000_000_000_000;

/// What a clock and a calendar on the visitor's wall show; nothing where the zone is unknown.
#[inline(never)]
pub(super) fn derive(context: &mut Context) {
    let offset = context.offsets.at(context.now.div_euclid(1000));
    let local = offset.map(|offset| context.now.saturating_add(i64::from(offset) * 1000));
    let Some(local) = local.filter(|local| local.unsigned_abs() <= MOST_MILLIS) else { return };
    let civil = Civil::from_millis(local);
    let day = local.div_euclid(DAY_MS);
    // A week belongs to the year of its Thursday (ISO 8601); the first day of 1970 was one.
    let thursday = (day + 3).div_euclid(7) * 7;
    context.set_int(Field::TimeHour, i64::from(civil.hour));
    context.set_int(Field::TimeMinute, i64::from(civil.minute));
    context.set_int(Field::TimeWeekday, civil.weekday());
    context.set_int(Field::TimeDay, i64::from(civil.day));
    context.set_int(Field::TimeDayOfYear, day_of_year(day));
    context.set_int(Field::TimeWeek, (day_of_year(thursday) - 1) / 7 + 1);
    context.set_int(Field::TimeMonth, i64::from(civil.month));
    context.set_int(Field::TimeYear, civil.year);
    let mut clock = String::new();
    push_two(&mut clock, civil.hour);
    push(&mut clock, b':');
    push_two(&mut clock, civil.minute);
    context.set_text(Field::TimeClock, &clock);
    let mut date = String::new();
    push_int(&mut date, civil.year);
    push(&mut date, b'-');
    push_two(&mut date, civil.month);
    push(&mut date, b'-');
    push_two(&mut date, civil.day);
    context.set_text(Field::TimeDate, &date);
}

/// The day of its year, from 1, of a day counted from 1970.
fn day_of_year(day: i64) -> i64 {
    day - jan_1(Civil::from_millis(day * DAY_MS).year) / 86_400 + 1
}

/// Whether the visitor's date stands in each of the manifest's lists. Read from `time.date`, so that whoever overrides that
/// sees the holidays of that day.
pub(super) fn holidays(context: &mut Context, program: &Program, overridden: &[u32]) {
    let Some(Moment::Local(today)) = context.text(Field::TimeDate).and_then(parse_moment) else { return };
    let any_year = Civil { year: 0, ..today };
    for (field, holidays) in program.holidays() {
        if is_among(overridden, field) {
            continue;
        }
        let listed = program.is_listed(holidays, [day_number(today), day_number(any_year)]);
        context.put(field as usize, Some(Value::Bool(listed)));
    }
}

/// A day as a number that grows with it; the year 0 stands for every year.
pub(crate) fn day_number(day: Civil) -> u32 {
    (day.year as u32) << 9 | u32::from(day.month) << 5 | u32::from(day.day)
}
