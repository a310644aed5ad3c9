//! A visitor who is not there: what is stored of them, without a request.

use super::{Context, Field, Value};
use crate::consent::Consent;
use crate::profile::Profile;
use crate::program::Program;
use crate::zone::Offsets;

impl Context {
    /// What is stored of a visitor and the time, for the site's owner: paths of fields such as `profile.count('Product Viewed', '7d')`, and
    /// text as [`Value::parse`] reads it. What only a request or a page says is absent, so that what asks for it is unknown;
    /// consent is asked for when something is stored, not when its owner looks.
    pub fn of_profile<T: AsRef<str>>(program: &Program, profile: &[(T, T)], now: i64) -> Context {
        let mut context = Context {
            values: Vec::new(),
            denied: Vec::new(),
            consent: Consent::default(),
            now,
            offsets: Offsets::default(),
            unit: None,
            page_unit: None,
            profile: Profile::default(),
            query: Vec::new(),
            ignored: Vec::new(),
        };
        context.values.resize_with(program.field_count(), || None);
        context.set(Field::TimeNow, Value::Timestamp(now));
        for (path, text) in profile {
            let (path, text) = (path.as_ref(), text.as_ref());
            match program.field(path).filter(|_| path.starts_with("profile.")) {
                Some((field, kind)) => context.put(field as usize, Value::parse(kind, text)),
                None => context.profile.put(path, text),
            }
        }
        context
    }
}
