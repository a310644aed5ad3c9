//! Until when a page stays as it was decided, if nothing happens but that time passes.

use crate::context::Context;
use crate::program::{Experience, Page, Program, Status};
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// By `Experience::clock`, from 1.
const UNITS: [i64; 3] = [DAY_MS, HOUR_MS, MINUTE_MS];

/// The next instant, in epoch milliseconds, at which time alone may change what is decided on the context's page; `None` where it never does.
/// Before it nothing changes, but where the instant itself is read: that is looked at each minute.
///
/// It follows from the page and the program: schedules and ramps, and which fields of time are read by the experiences that could be shown, and
/// by all that others require. Of the visitor only the clock on their wall takes part, so that pages of others are alike. What is stored of them
/// stays as it is.
pub fn until(program: &Program, context: &Context) -> Option<i64> {
    let now = context.now;
    let page = Page::new(program, context);
    let here = page.experiences(program);
    let mut until = i64::MAX;
    let mut next = |at: i64| {
        if at > now && at < until {
            until = at;
        }
    };
    let mut clock = 0;
    let mut index = 0;
    while let Some(experience) = program.experience(index) {
        index += 1;
        let is_here =
            experience.clock & Experience::REQUIRED > 0 || (here.has(experience.index) && experience.has_place(program, &page));
        if !is_here || experience.status != Status::Running {
            continue;
        }
        next(experience.from);
        next(experience.until);
        if experience.in_schedule(now) {
            clock = clock.max(experience.clock & !Experience::REQUIRED);
            let details = program.details(&experience);
            let (mut is_begun, mut is_over) = (false, true);
            program.each_point(&details, &mut |at| {
                is_begun |= at <= now;
                is_over &= at <= now;
                next(at);
            });
            // Between two points the share changes all the time.
            if details.linear() && is_begun && !is_over {
                clock = UNITS.len() as u32;
            }
        }
    }
    if let Some(every) = UNITS.get(clock.wrapping_sub(1) as usize) {
        let local = now.wrapping_add(i64::from(context.offsets.at(now.div_euclid(1000)).unwrap_or(0)) * 1000);
        next(now.wrapping_add(every - local.rem_euclid(*every)));
        // Clocks that are changed show another hour, and perhaps another day.
        context.offsets.entries().iter().for_each(|(from, _)| next(from.wrapping_mul(1000)));
    }
    (until < i64::MAX).then_some(until)
}
