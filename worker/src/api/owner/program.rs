//! `/_idoine/api/program`: what is published, and publishing. First the bytes, then the entry in the trail, then the pointer: so
//! that the pointer never leads nowhere, and nothing becomes live that is not in the trail.

use super::{no_version, not_found, unavailable};
use crate::answer::Answer;
use crate::api::{bad_request, parameter};
use crate::audit::{self, Entry};
use crate::pointer::{MOST_SCHEDULED, Pointer, instant_of, instant_text, is_version};
use crate::store::{self, Noted};
use crate::tokens::Bearer;
use crate::visit::Visit;
use crate::{host, program};
use idoine::Program;
use serde::Serialize;

/// The most versions that are listed, the newest first.
const MOST_LISTED: usize = 200;

/// What is live, and what is going to be.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "PublishState"))]
pub struct State {
    site: String,
    live: Option<String>,
    /// What was live before, and what a rollback without a version goes back to.
    previous: Option<String>,
    scheduled: Vec<Scheduled>,
}

/// A version that becomes live by itself.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct Scheduled {
    at: String,
    version: String,
}

/// What is published, and the versions that are kept.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "PublishedVersions"))]
pub struct List {
    #[serde(flatten)]
    state: State,
    versions: Vec<Version>,
    /// Whether there are older ones that are not listed.
    more: bool,
}

/// A version that is kept.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "KeptVersion"))]
pub struct Version {
    version: String,
    /// When and by whom it was published last, and its size. Not known of what `wrangler kv` put there.
    at: Option<String>,
    by: Option<String>,
    bytes: Option<u64>,
}

/// What came of publishing.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct Published {
    version: String,
    #[serde(flatten)]
    state: State,
    dry_run: bool,
}

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

    pub fn state(&self, visit: &Visit) -> State {
        let scheduled = self
            .pointer
            .upcoming(self.now)
            .map(|(at, version)| Scheduled { at: instant_text(at), version: version.to_owned() });
        State {
            site: visit.site.clone(),
            live: self.live().map(str::to_owned),
            previous: self.previous().map(str::to_owned),
            scheduled: scheduled.collect(),
        }
    }

    /// Writes the entry, and then the pointer.
    pub async fn store(&self, visit: &Visit, entry: &Entry) -> Result<(), String> {
        audit::write(visit, entry).await?;
        let put = store::put_pointer(&visit.env, &visit.site, &self.pointer, self.noted.clone()).await;
        if put.is_err() {
            // The trail says what did not come about too, if the store takes that.
            let failed = Entry { action: format!("{} failed", entry.action), ..entry.clone() };
            let _ = audit::write(visit, &failed).await;
        }
        program::look_soon(&visit.site);
        put
    }
}

pub async fn list(visit: &Visit) -> Answer {
    let (current, keys) = match (Current::read(visit).await, store::versions(&visit.env).await) {
        (Ok(current), Ok(keys)) => (current, keys),
        (Err(trouble), _) | (_, Err(trouble)) => return unavailable(visit, &trouble),
    };
    let of_this_site = keys.keys.into_iter().filter(|key| {
        // Of those without a note nobody knows whose they are; they are loaded, and looked at, before they become live.
        is_version(&key.name) && key.metadata.as_ref().is_none_or(|noted| noted.site == visit.site)
    });
    let mut versions: Vec<Version> = of_this_site
        .map(|key| {
            let (at, by, bytes) = key.metadata.map(|noted| (noted.at, noted.by, noted.bytes)).map_or((None, None, None), some);
            Version { version: key.name, at, by, bytes }
        })
        .collect();
    versions.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.version.cmp(&b.version)));
    let more = versions.len() > MOST_LISTED || keys.cursor.is_some();
    versions.truncate(MOST_LISTED);
    Answer::json(&List { state: current.state(visit), versions, more })
}

fn some<A, B, C>((a, b, c): (A, B, C)) -> (Option<A>, Option<B>, Option<C>) {
    (Some(a), Some(b), Some(c))
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
    let size = bytes.len() as u64;
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
        let mut entry = Entry::new(bearer, action);
        entry.version = Some(version.clone());
        entry.previous = current.live().map(str::to_owned);
        entry.until = at.map(instant_text);
        let noted = Noted { site: visit.site.clone(), at: entry.at.clone(), by: bearer.name.clone(), bytes: size };
        let stored = match store::put_program(&visit.env, &program, &noted).await {
            Ok(()) => changed.store(visit, &entry).await,
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble) = stored {
            return unavailable(visit, &trouble);
        }
    }
    Answer::json(&Published { version, state: changed.state(visit), dry_run })
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
    let mut entry = Entry::new(bearer, "cancel");
    entry.version = Some(version);
    match changed.store(visit, &entry).await {
        Ok(()) => Answer::json(&changed.state(visit)),
        Err(trouble) => unavailable(visit, &trouble),
    }
}
