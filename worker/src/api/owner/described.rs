//! What the owner's API reads and answers, for its description (`openapi.rs`). The Worker itself writes plain JSON, which weighs less;
//! `tests/worker/openapi.test.ts` holds its answers against this.
#![allow(dead_code, reason = "they describe")]

use schemars::JsonSchema;

/// What is live, and what is going to be.
#[derive(JsonSchema)]
pub struct PublishState {
    /// The site's id.
    site: String,
    /// The version that decides.
    live: Option<String>,
    /// What was live before, and what a rollback without a version goes back to.
    previous: Option<String>,
    /// Versions that become live by themselves.
    scheduled: Vec<ScheduledVersion>,
}

/// A version that becomes live by itself.
#[derive(JsonSchema)]
pub struct ScheduledVersion {
    /// When, RFC 3339.
    at: String,
    /// Its version.
    version: String,
}

/// What is published, and the versions that are kept.
#[derive(JsonSchema)]
pub struct PublishedVersions {
    #[serde(flatten)]
    state: PublishState,
    /// The newest first.
    versions: Vec<KeptVersion>,
    /// Whether there are older ones that are not listed.
    more: bool,
}

/// A version that is kept. When and by whom it was published last, and its size, is not known of what `wrangler kv` put there.
#[derive(JsonSchema)]
pub struct KeptVersion {
    /// Its version.
    version: String,
    /// When it was published last, RFC 3339.
    at: Option<String>,
    /// The name of the token.
    by: Option<String>,
    /// Its size in bytes.
    bytes: Option<u64>,
}

/// What came of publishing.
#[derive(JsonSchema)]
pub struct Published {
    #[serde(flatten)]
    state: PublishState,
    /// The version that was published.
    version: String,
    /// Whether nothing was changed.
    dry_run: bool,
}

/// Where to go back to.
#[derive(JsonSchema)]
pub struct RollbackAsked {
    /// The version; that which was live before where it is left out.
    version: Option<String>,
}

/// What is live now.
#[derive(JsonSchema)]
pub struct RolledBack {
    #[serde(flatten)]
    state: PublishState,
    /// The version that was gone back to.
    version: String,
}

/// Entries of the audit trail, the newest first.
#[derive(JsonSchema)]
pub struct AuditTrail {
    /// The entries.
    entries: Vec<AuditEntry>,
    /// Where the older ones begin, if there are any.
    cursor: Option<String>,
}

/// Who did what when.
#[derive(JsonSchema)]
pub struct AuditEntry {
    /// When, RFC 3339.
    at: String,
    /// The name of the token.
    by: String,
    /// `publish`, `schedule`, `cancel`, `rollback`, `preview`, each also with ` failed`; `read profile`, `export profile`, `note`, `unnote`, `tag`, `untag`,
    /// `export audience`, `renew quantiles`; `refused` for what the token is not good for.
    action: String,
    /// The version that it was done with.
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    /// The version that was live before.
    #[serde(skip_serializing_if = "String::is_empty")]
    previous: String,
    /// The instant that it was scheduled for, or at which a link ends, RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    until: String,
    /// The page of a link, without its query; the profile or audience; what a refused attempt asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    what: String,
}

/// A page of the site to preview.
#[derive(JsonSchema)]
pub struct PreviewAsked {
    /// Its absolute URL.
    url: String,
    /// For how many hours the link is good, 1 to 168 (default 24).
    hours: Option<u32>,
}

/// A link with which a browser may preview the site.
#[derive(JsonSchema)]
pub struct PreviewLink {
    /// The link.
    url: String,
    /// When it ends, RFC 3339.
    expires: String,
}

/// Dead letters, and how it stands with the sinks.
#[derive(JsonSchema)]
pub struct DeadLetters {
    /// How many there are, by sink.
    counts: Vec<DeadCount>,
    /// How it stands with the sinks.
    sinks: Vec<SinkState>,
    /// Dead letters, by shard and the oldest first.
    letters: Vec<DeadLetter>,
    /// Where the list goes on; null at its end.
    cursor: Option<String>,
}

/// How it stands with a sink.
#[derive(JsonSchema)]
pub struct SinkState {
    /// `queue`, `r2` or `webhook:<name>`.
    sink: String,
    /// How many events or messages wait for it.
    waiting: u64,
    /// For how many shards it fails.
    failing: u64,
    /// Why, where it does.
    error: Option<String>,
}

/// How many dead letters of a sink there are.
#[derive(JsonSchema)]
pub struct DeadCount {
    /// Which sink.
    sink: String,
    /// How many.
    letters: u64,
    /// When the first of what they tell happened, RFC 3339.
    oldest: String,
}

/// An event or a message that a sink did not take.
#[derive(JsonSchema)]
pub struct DeadLetter {
    /// Its name, to send it again.
    id: String,
    /// Which sink.
    sink: String,
    /// When it happened, RFC 3339.
    at: String,
    /// When it was given up, RFC 3339.
    died: String,
    /// How often it was tried.
    tries: u64,
    /// Why it was not taken.
    error: Option<String>,
    /// The event, or of a webhook the message.
    message: std::collections::BTreeMap<String, serde_json::Value>,
}

/// What is to be sent again: all that is left out is all.
#[derive(JsonSchema)]
pub struct ResendAsked {
    /// Of which sink.
    sink: Option<String>,
    /// Which letters, 500 at most.
    ids: Option<Vec<String>>,
}

/// What was sent again.
#[derive(JsonSchema)]
pub struct Resent {
    /// How many letters wait for their sink again.
    resent: u64,
    /// How many are left: ask again, until none are.
    left: u64,
}

/// What became of events of the past.
#[derive(JsonSchema)]
pub struct Imported {
    /// One for each line.
    results: Vec<ImportedLine>,
}

/// What became of an event.
#[derive(JsonSchema)]
pub struct ImportedLine {
    /// `accepted`, `duplicate`, `dropped`, `rejected` or `failed`, which is to be sent again.
    status: String,
    /// Why it was dropped: `no_consent` or `no_key`.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ImportError>,
}

/// What became of events of which not all could be taken.
#[derive(JsonSchema)]
pub struct NotImported {
    /// One for each line, where some of them were taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<ImportedLine>,
    /// Why none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ImportError>,
}

/// What is wrong with a line.
#[derive(JsonSchema)]
pub struct ImportError {
    /// For programs.
    code: String,
    /// For people.
    message: String,
    /// Where in the line, as a JSON pointer.
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
}

/// All that is known of a visitor.
#[derive(JsonSchema)]
pub struct ProfileFacts {
    /// `u:<userId>` or `a:<anonymousId>`.
    key: String,
    /// The user whose it is: of a browser, or of a user who was given another id by `alias`. The first that was told.
    user: Option<String>,
    /// What it is made of.
    parts: Vec<ProfilePart>,
    /// What the owner's teams noted, the newest first.
    notes: Vec<NoteKept>,
    /// What they tagged it with.
    tags: Vec<TagKept>,
    /// What the live program reads of it, by path, as text.
    readings: std::collections::BTreeMap<String, String>,
    /// All that is kept: sessions, touches, traits with their sources, counters, affinities and so on.
    #[serde(flatten)]
    facts: std::collections::BTreeMap<String, serde_json::Value>,
}

/// A part of a profile.
#[derive(JsonSchema)]
pub struct ProfilePart {
    /// Whose events made it: a browser's, or of a user those that servers sent.
    of: String,
    /// Whether it is of a browser's time before it was known whose it is.
    handed_over: bool,
    /// When something of it came last, RFC 3339.
    last: String,
}

/// The notes on a profile.
#[derive(JsonSchema)]
pub struct ProfileNotes {
    /// The newest first.
    notes: Vec<NoteKept>,
}

/// A note.
#[derive(JsonSchema)]
pub struct NoteKept {
    /// Its id.
    id: String,
    /// What it says.
    text: String,
    /// The name of the token.
    by: String,
    /// When, RFC 3339.
    at: String,
}

/// A note that is to be kept.
#[derive(JsonSchema)]
pub struct NoteGiven {
    /// What it says: 2000 characters at most.
    text: String,
}

/// The tags of a profile.
#[derive(JsonSchema)]
pub struct ProfileTags {
    /// In their order.
    tags: Vec<TagKept>,
}

/// A tag of a profile.
#[derive(JsonSchema)]
pub struct TagKept {
    /// The tag.
    tag: String,
    /// The name of the token.
    by: String,
    /// When, RFC 3339.
    at: String,
}

/// Tags that are to be put on a profile.
#[derive(JsonSchema)]
pub struct TagsGiven {
    /// 20 at most, each of 64 characters at most.
    tags: Vec<String>,
}

/// How many profiles are in which audiences. A browser's profile that is a user's counts as that user.
#[derive(JsonSchema)]
pub struct AudienceCounts {
    /// How many there are.
    profiles: u64,
    /// In the manifest's order.
    audiences: Vec<AudienceCount>,
    /// Of each two that have members in common.
    overlaps: Vec<AudienceOverlap>,
}

/// How many profiles are in an audience.
#[derive(JsonSchema)]
pub struct AudienceCount {
    /// Its name.
    audience: String,
    /// How many are in it.
    members: u64,
    /// Of how many that is not known: a request would tell, or a value is missing.
    unknown: u64,
}

/// How many profiles are in two audiences.
#[derive(JsonSchema)]
pub struct AudienceOverlap {
    /// Their names.
    audiences: [String; 2],
    /// How many are in both.
    members: u64,
}

/// The site's quantiles are worked out anew.
#[derive(JsonSchema)]
pub struct QuantilesRenewed {
    /// When, in epoch milliseconds.
    at: i64,
}

/// In what events were otherwise than the tracking plan says.
#[derive(JsonSchema)]
pub struct Violations {
    /// The most frequent first.
    violations: Vec<CountedViolation>,
}

/// In what events were otherwise, and how many of them.
#[derive(JsonSchema)]
pub struct CountedViolation {
    /// The event's name; of what is not tracked its type. Empty for all that are not told apart.
    event: String,
    /// `unknown_event`, `missing_property`, `unknown_property`, `wrong_type`, `wrong_value`, `untrusted`, or `more` for all that are not told
    /// apart.
    code: String,
    /// The property; empty for the event itself.
    path: String,
    /// Who sent them: `browser`, or the name of a write key.
    source: String,
    /// What was expected.
    expected: String,
    /// How many.
    count: u64,
    /// When last, in epoch milliseconds.
    last: i64,
}

/// Who read a profile, the newest first.
#[derive(JsonSchema)]
pub struct ProfileAccesses {
    /// Each time.
    accesses: Vec<ProfileAccess>,
}

/// That somebody read a profile.
#[derive(JsonSchema)]
pub struct ProfileAccess {
    /// When, RFC 3339.
    at: String,
    /// The name of the token.
    by: String,
    /// `profile`, `notes`, `tags`, `accesses`, `export`, or `audience <name>`.
    what: String,
}

/// That something was erased.
#[derive(JsonSchema)]
pub struct ErasureReceipt {
    /// The receipt.
    id: String,
    /// When it was asked for, RFC 3339.
    at: String,
    /// `erased by the visitor`, `erased by the owner`, `withdrawn: <purposes>`, or `over` of what nothing came of for too long.
    what: String,
    /// When all of it was erased everywhere; null while that goes on.
    done: Option<String>,
}

/// What visitors chose, the newest day first.
#[derive(JsonSchema)]
pub struct ConsentCounts {
    /// By day, wording and purpose.
    consents: Vec<ConsentCount>,
}

/// How many chose what of a purpose on a day.
#[derive(JsonSchema)]
pub struct ConsentCount {
    /// The day, in UTC.
    day: String,
    /// The version of the wording.
    version: u32,
    /// The purpose.
    purpose: String,
    /// How many granted it.
    granted: u64,
    /// How many refused it.
    refused: u64,
    /// How many withdrew it.
    withdrawn: u64,
    /// The share that granted it of those who granted or refused; null where nobody did.
    rate: Option<f64>,
}

/// What happened of nobody, the newest day first.
#[derive(JsonSchema)]
pub struct MeasuredCounts {
    /// By day and by what it was.
    measured: Vec<MeasuredCount>,
}

/// How often something happened on a day.
#[derive(JsonSchema)]
pub struct MeasuredCount {
    /// The day, in UTC.
    day: String,
    /// An event's type; `more` for all that was too various to be told apart.
    kind: String,
    /// An event's name.
    name: String,
    /// Of an exposure the experience.
    experience: String,
    /// And its variant.
    variant: String,
    /// How often.
    n: u64,
}
