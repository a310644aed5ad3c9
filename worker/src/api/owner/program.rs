//! `/_idoine/api/program`: what is published, and publishing. First the bytes, then the entry in the trail, then the pointer: so
//! that the pointer never leads nowhere, and nothing becomes live that is not in the trail.

use super::{no_version, not_found, unavailable};
use crate::answer::Answer;
use crate::api::{bad_request, parameter};
use crate::audit::{self, Entry};
use crate::pointer::{MOST_SCHEDULED, Pointer, instant_of, instant_text, is_version};
use crate::tokens::Bearer;
use crate::visit::Visit;
use crate::{host, program, store};
use idoine::Program;
use serde_json::{Value, json};

/// The most versions that are listed, the newest first.
const MOST_LISTED: u32 = 200;

/// A site's pointer, with what it takes to change it.
pub struct Current {
    pub pointer: Pointer,
    /// What was live before, where the pointer itself does not tell.
    noted: Option<String>,
    pub now: i64,
}

impl Current {
    pub async fn read(visit: &Visit) -> Result<Current, String> {
        let (pointer, noted) = store::pointer_to_write(&visit.env, &visit.site).await?;
        Ok(Current { pointer, noted, now: host::now() })
    }

    pub fn live(&self) -> Option<&str> {
        self.pointer.live(self.now)
    }

    pub fn previous(&self) -> Option<&str> {
        self.pointer.before(self.now).or(self.noted.as_deref()).filter(|version| Some(*version) != self.live())
    }

    /// With another pointer; what was live before is the version that it replaces, if it replaces one.
    pub fn changed(&self, pointer: Pointer) -> Current {
        let same = pointer.live(self.now) == self.live();
        let noted = if same { self.previous() } else { self.live() };
        Current { noted: noted.map(str::to_owned), pointer, now: self.now }
    }

    /// An answer that says what is live, what was before, and what is going to be; with what else there is to say.
    pub fn answer(&self, visit: &Visit, more: impl IntoIterator<Item = (&'static str, Value)>) -> Answer {
        let scheduled = self.pointer.upcoming(self.now);
        let scheduled: Vec<Value> =
            scheduled.map(|(at, version)| json!({ "at": instant_text(at), "version": version })).collect();
        let state = [
            ("site", Value::from(visit.site.as_str())),
            ("live", Value::from(self.live())),
            ("previous", Value::from(self.previous())),
            ("scheduled", Value::Array(scheduled)),
        ];
        Answer::json(&state.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect::<Value>())
    }

    /// Writes the entry, and then the pointer.
    pub async fn store(&self, visit: &Visit, entry: &Entry) -> Result<(), String> {
        audit::write(visit, entry).await?;
        let put = store::put_pointer(&visit.env, &visit.site, &self.pointer, self.noted.as_deref()).await;
        if put.is_err() {
            // The trail says what did not come about too, if the store takes that.
            let _ = audit::write(visit, &entry.failed()).await;
        }
        program::look_soon(&visit.site);
        put
    }
}

pub async fn list(visit: &Visit) -> Answer {
    let versions = store::versions(&visit.env, &visit.site, MOST_LISTED).await;
    match (Current::read(visit).await, versions) {
        (Ok(current), Ok(mut versions)) => {
            let mut take = |name| (name, versions.get_mut(name).map(Value::take).unwrap_or_default());
            current.answer(visit, [take("versions"), take("more")])
        }
        (Err(trouble), _) | (_, Err(trouble)) => unavailable(visit, &trouble),
    }
}

pub async fn get(visit: &Visit) -> Answer {
    let version = visit.path().rsplit('/').next().unwrap_or_default();
    if !is_version(version) {
        return not_found();
    }
    let program = match of_site(visit, version).await {
        Ok(Some(program)) => program,
        Ok(None) => return no_version(),
        Err(trouble) => return unavailable(visit, &trouble),
    };
    let (tag, keep) = (format!("\"{version}\""), "private, max-age=31536000, immutable");
    if visit.header("if-none-match").is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag)) {
        return Answer::empty(304).with("etag", tag).with("cache-control", keep);
    }
    Answer::bytes("application/octet-stream", program.bytes().to_vec()).with("etag", tag).with("cache-control", keep)
}

/// A version of this site that is in the store and loads.
pub async fn of_site(visit: &Visit, version: &str) -> Result<Option<Program>, String> {
    Ok(store::program(&visit.env, version).await?.filter(|program| program.site_id() == visit.site))
}

pub async fn post(visit: &Visit, bearer: &Bearer) -> Answer {
    let media_type = visit.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/octet-stream") {
        return Answer::error(
            415,
            "unsupported_media_type",
            "Send what `idoine compile` writes, with content-type: application/octet-stream.",
        );
    }
    let at = match parameter(visit, "at").map(|text| instant_of(&text)) {
        Some(None) => return bad_request("`at` is no instant: expected one such as 2026-11-27T00:00:00Z (RFC 3339)."),
        Some(at) => at,
        None => None,
    };
    let Some(bytes) = visit.body(store::MAX_BYTES).await else {
        return Answer::error(
            413,
            "too_large",
            "The program is larger than 25 MiB, which is the most that KV takes, or can't be read.",
        );
    };
    let program = match Program::load(bytes) {
        Ok(program) => program,
        Err(error) => return Answer::error(422, "bad_program", &format!("This can't be published: {error}.")),
    };
    if program.site_id() != visit.site {
        let message = format!("This is a program of another site: its site.id is not {}.", visit.site);
        return Answer::error(409, "wrong_site", &message);
    }
    let current = match Current::read(visit).await {
        Ok(current) => current,
        Err(trouble) => return unavailable(visit, &trouble),
    };
    if let Some(expected) = parameter(visit, "if-live").filter(|expected| Some(expected.as_str()) != current.live()) {
        let live = current.live().unwrap_or("none");
        let message = format!("The live version is {live}, not {}.", short(&expected));
        return Answer::error(409, "other_version_live", &message);
    }
    let version = program.version();
    let (action, pointer) = match at {
        None => ("publish", current.pointer.with_live(&version, current.now)),
        Some(at) if at <= current.now => return bad_request("`at` is over. Leave it out to publish now."),
        Some(at) => match current.pointer.with_scheduled(at, &version, current.now) {
            Some(pointer) => ("schedule", pointer),
            None => {
                let message = format!("{MOST_SCHEDULED} versions are scheduled, which is the most: cancel one.");
                return Answer::error(409, "too_many_scheduled", &message);
            }
        },
    };
    let changed = current.changed(pointer);
    let dry_run = parameter(visit, "dry-run").is_some_and(|value| !matches!(value.as_str(), "0" | "false"));
    if !dry_run {
        let entry = Entry::new(bearer, action).with("version", Some(&version)).with("previous", current.live());
        let entry = entry.with("until", at.map(instant_text).as_deref());
        let stored = match store::put_program(&visit.env, &program, &entry.at, &bearer.name).await {
            Ok(()) => changed.store(visit, &entry).await,
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble) = stored {
            return unavailable(visit, &trouble);
        }
    }
    changed.answer(visit, [("version", Value::from(version)), ("dry_run", Value::from(dry_run))])
}

/// Of what a caller sent, what an answer repeats.
fn short(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(16).collect()
}

/// `DELETE ?scheduled=<version>`: it is not going to be live.
pub async fn cancel(visit: &Visit, bearer: &Bearer) -> Answer {
    let Some(version) = parameter(visit, "scheduled").filter(|version| is_version(version)) else {
        return bad_request(
            "Say which version is not to be published: ?scheduled=<version>. What is live is replaced, not deleted.",
        );
    };
    let current = match Current::read(visit).await {
        Ok(current) => current,
        Err(trouble) => return unavailable(visit, &trouble),
    };
    let Some(pointer) = current.pointer.without_scheduled(&version, current.now) else {
        return Answer::error(404, "not_scheduled", "That version is not scheduled.");
    };
    let changed = current.changed(pointer);
    let entry = Entry::new(bearer, "cancel").with("version", Some(&version));
    match changed.store(visit, &entry).await {
        Ok(()) => changed.answer(visit, []),
        Err(trouble) => unavailable(visit, &trouble),
    }
}
