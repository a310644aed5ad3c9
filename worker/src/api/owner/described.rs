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
    /// `publish`, `schedule`, `cancel`, `rollback`, `preview`, each also with ` failed`; `refused` for what the token is not good for.
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
    /// The page of a link, without its query; what a refused attempt asked for.
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
