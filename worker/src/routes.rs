//! Idoine's own addresses: one table, by which requests are routed and of which the API's description (`openapi.rs`) is made.
//!
//! An address is an [`Endpoint`] and its path below [`crate::route::BASE`]; a name in braces at the end stands for the rest of a path, before it for one
//! part. Of two that match the first is meant. Then its methods: who may call, what it does, parameters (`@place "name" required|optional "what it is"`), the body that it reads (`<- Type` as JSON, `<- Type, optional` where it may be empty,
//! `<| "media type"` as anything else), and for each status what it says, the body (`: Type` as JSON, `| "media type"` as anything
//! else) and its headers. `openapi.rs` adds what follows from who may call (401, and of the owner's addresses 403, 429 and 503), unless
//! there is a row for that status, and the answers that every address gives (405, and 503 where the Wasm instance breaks).

#[cfg(any(test, feature = "openapi"))]
use crate::openapi::{Described, Parameter, Request, Response};
use crate::route::{Access, Operation, Route};

macro_rules! routes {
    ($($(#[$doc:meta])* $endpoint:ident $path:literal {
        $($method:ident $access:ident $summary:literal {
            $(@$place:ident $parameter:literal $need:ident $about:literal;)*
            $(<- $request:ty $(, $presence:ident)?;)?
            $(<| $bytes:literal)?
            $($status:literal $says:literal $(: $body:ty)? $(| $media:literal)? $([$($header:literal),*])?;)*
        })*
    })*) => {
        /// What is at an address.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Endpoint { $($(#[$doc])* $endpoint),* }

        /// All addresses.
        pub const ROUTES: &[Route] = &[$(Route {
            path: $path,
            endpoint: Endpoint::$endpoint,
            operations: &[$(Operation {
                method: stringify!($method),
                access: Access::$access,
                #[cfg(any(test, feature = "openapi"))]
                described: Described {
                    summary: $summary,
                    parameters: &[$(Parameter {
                        place: stringify!($place),
                        name: $parameter,
                        required: routes!(@$need),
                        about: $about,
                    }),*],
                    request: &[$(Request {
                        required: routes!(@$($presence)?),
                        schema: |generator| generator.subschema_for::<$request>(),
                    })?],
                    bytes: &[$($bytes)?],
                    responses: &[$(Response {
                        status: $status,
                        says: $says,
                        body: &[$(|generator| generator.subschema_for::<$body>())?],
                        media: &[$($media)?],
                        headers: &[$($($header),*)?],
                    }),*],
                },
            }),*],
        }),*];
    };
    (@) => { true };
    (@required) => { true };
    (@optional) => { false };
}

#[rustfmt::skip] // It is a table.
routes! {
    /// What is known of the visitor.
    Context "context" {
        GET Anyone "What is known of the visitor, without the id." {
            @query "url" optional "The page: an absolute URL. Enrichments are those that it needs, without it all of them.";
            @query "referrer" optional "The page before it.";
            200 "What is known.": crate::api::context::Known<'static>;
            400 "`url` is not an absolute URL.": crate::answer::Failure<'static>;
            503 "No program is published.": crate::answer::Failure<'static>;
        }
    }
    /// What the visitor gets to see.
    Decide "decide" {
        GET Anyone "What the visitor gets to see on a page." {
            @query "url" required "The page: an absolute URL.";
            @query "referrer" optional "The page before it.";
            @query "explain" optional "In previews: adds why; `text` answers with that alone, for people.";
            200 "What was decided.": crate::api::decide::Decided<'static> | "text/plain; charset=utf-8";
            400 "`url` is missing, or not an absolute URL.": crate::answer::Failure<'static>;
            503 "No program is published.": crate::answer::Failure<'static>;
        }
        POST Anyone "As GET. In previews the body may be a whole visitor." {
            @query "explain" optional "As with GET.";
            <- crate::api::decide::Asked;
            200 "What was decided.": crate::api::decide::Decided<'static> | "text/plain; charset=utf-8";
            400 "The body can't be read.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            503 "No program is published.": crate::answer::Failure<'static>;
        }
    }
    /// What the visitor agreed to.
    Consent "consent" {
        GET Anyone "What the visitor agreed to." {
            200 "The purposes, and what visitors are asked.": crate::api::consent::Told;
        }
        POST Anyone "Keeps what the visitor agrees to, in cookies. For pages of the site's hosts alone." {
            <- crate::api::consent::Agrees<'static>;
            200 "The purposes that count now, and what is stored of the visitor.": crate::api::consent::Agreed ["set-cookie"];
            400 "The body can't be read.": crate::answer::Failure<'static>;
            403 "The request is from no page of the site.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "Something is withdrawn: that holds in this browser, and what is kept could not be deleted yet.": crate::answer::Failure<'static> ["set-cookie", "retry-after"];
        }
    }
    /// The preference centre as a page. The host answers (`worker/js/preferences.js`).
    Preferences "preferences" {
        GET Anyone "The preference centre: a page on which visitors see what is known of them, choose, and take or erase it." {
            @header "accept-language" optional "In English or in French.";
            200 "The page." | "text/html; charset=utf-8" ["cache-control", "content-security-policy"];
        }
    }
    /// What is stored of the visitor.
    Profile "profile" {
        GET Anyone "What is stored of the visitor, as far as pages are decided with it; without an id." {
            200 "What is stored.": crate::api::profile::Stored;
            503 "No program is published.": crate::answer::Failure<'static>;
        }
        POST Anyone "Corrects or takes away what is known: the visitor's word counts before all others. For pages of the site's hosts alone." {
            <- crate::api::profile::Corrections;
            200 "It is as they said, as far as pages are decided with it.": crate::api::profile::StoredNow;
            400 "The body can't be read, or a trait is none that visitors may change, or a value none of it.": crate::answer::Failure<'static>;
            401 "A user is logged in, and the identity token is missing or not good.": crate::answer::Failure<'static> ["www-authenticate"];
            403 "The request is from no page of the site, or the visitor did not agree to what a trait is for.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            501 "Profiles are off.": crate::answer::Failure<'static>;
            503 "No program is published, or a shard does not answer.": crate::answer::Failure<'static>;
        }
    }
    /// All that is held of the visitor. The host answers (`worker/js/rights.js`), and asks here who may call.
    Export "export" {
        POST Anyone "All that is held of the visitor, as a file. For pages of the site's hosts alone." {
            <- crate::api::profile::ExportAsked, optional;
            200 "What is held, with the first page of what is in the bucket; or one more page of that.": crate::api::profile::Exported ["content-disposition"];
            400 "The body can't be read, or `after` is no cursor of this site's.": crate::answer::Failure<'static>;
            401 "A user is logged in, and the identity token is missing or not good.": crate::answer::Failure<'static> ["www-authenticate"];
            403 "The request is from no page of the site.": crate::answer::Failure<'static>;
            404 "Nothing is held of this browser's visitor.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            501 "Profiles are off.": crate::answer::Failure<'static>;
            503 "No program is published, or a shard does not answer.": crate::answer::Failure<'static>;
        }
    }
    /// Who the visitor is. The host answers (`worker/js/identity.js`), and asks here who may call.
    Identity "identity" {
        POST Anyone "Logs the visitor in, by a token that the site's server signed. For pages of the site's hosts alone." {
            <- crate::api::identity::Login;
            200 "They are known, and what is stored of them.": crate::api::profile::StoredNow ["set-cookie"];
            400 "The body can't be read.": crate::answer::Failure<'static>;
            401 "The token is not good.": crate::answer::Failure<'static> ["www-authenticate"];
            403 "The request is from no page of the site, or the visitor did not agree to personalization.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            501 "Profiles are off, or IDOINE_IDENTITY_SECRET is not set.": crate::answer::Failure<'static>;
            503 "No program is published, or a shard does not answer.": crate::answer::Failure<'static>;
        }
        DELETE Anyone "Logs the visitor out: the browser is somebody new. For pages of the site's hosts alone." {
            200 "What is stored of who they are now.": crate::api::profile::StoredNow ["set-cookie"];
            403 "The request is from no page of the site.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "No program is published.": crate::answer::Failure<'static>;
        }
    }
    /// What is stored of the visitor, taken away. The host answers (`worker/js/erasing.js`), and asks here who may call.
    Erase "erase" {
        POST Anyone "Erases what is stored of the visitor: all of it, or what is kept for `purposes`. For pages of the site's hosts alone." {
            <- crate::api::identity::EraseAsked, optional;
            200 "It is being erased, wherever it is.": crate::api::identity::Erased ["set-cookie"];
            400 "The body can't be read.": crate::answer::Failure<'static>;
            401 "The visitor is logged in: the identity token is to be sent with it, or is not good.": crate::answer::Failure<'static> ["www-authenticate"];
            403 "The request is from no page of the site.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "No program is published, or a shard does not answer.": crate::answer::Failure<'static>;
        }
    }
    /// The program, for previews.
    Program "program" {
        GET Preview "The program, in previews." {
            @query "v" optional "Its version; without it the current one.";
            @header "if-none-match" optional "The program that is known.";
            200 "The program's bytes." | "application/octet-stream" ["etag", "cache-control"];
            304 "It is the one that is known." ["etag", "cache-control"];
            404 "There is no such version, or this is no preview.": crate::answer::Failure<'static>;
            503 "No program is published.": crate::answer::Failure<'static>;
        }
    }
    /// The saved visitors, for previews.
    Personas "personas" {
        GET Preview "The manifest's saved visitors, in previews." {
            200 "By name, what is overridden in their contexts.": crate::api::personas::Personas<'static>;
            404 "This is no preview.": crate::answer::Failure<'static>;
            503 "No program is published.": crate::answer::Failure<'static>;
        }
    }
    /// Whether requests can be decided. The host answers (`worker/js/health.js`), and asks here for the version.
    Health "health" {
        GET Anyone "Whether this site's pages can be personalised." {
            200 "They can.": crate::api::health::Health;
            503 "Something is missing, or broken.": crate::api::health::Health;
        }
    }
    /// Events of visitors and servers. JavaScript answers, here and in what follows (`worker/js/events/collect.js`).
    Collect "collect" {
        POST Anyone "Takes events." {
            <- crate::api::collect::Events;
            200 "They were taken; what is not kept says why.": crate::api::collect::Collected;
            400 "The body is no list of events, or of more than 500.": crate::answer::Failure<'static>;
            401 "There is no write key, or it is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site, or a page sends a server's key.": crate::answer::Failure<'static>;
            413 "The body is larger than 512 KB, or than 1 MB once it is decompressed.": crate::answer::Failure<'static>;
            415 "The body is compressed otherwise than by gzip.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "Events can't be kept at the moment: send them again.": crate::api::collect::Unkept;
        }
    }
    /// Events as Segment's and RudderStack's servers send them.
    SegmentBatch "v1/batch" {
        POST Anyone "Segment, RudderStack: takes events." {
            <- std::collections::BTreeMap<String, serde_json::Value>;
            200 "They were taken; what is not kept says why.": crate::api::collect::Taken;
            400 "The body is no list of events, or of more than 500.": crate::answer::Failure<'static>;
            401 "There is no write key, or it is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site, or a page sends a server's key.": crate::answer::Failure<'static>;
            413 "The body is larger than 512 KB, or than 1 MB once it is decompressed.": crate::answer::Failure<'static>;
            415 "The body is compressed otherwise than by gzip.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "Events can't be kept at the moment: send them again.": crate::api::collect::Untaken;
        }
    }
    /// The same of Segment's browser client, where it is told to batch.
    SegmentShortBatch "v1/b" {
        POST Anyone "Segment: takes events." {
            <- std::collections::BTreeMap<String, serde_json::Value>;
            200 "They were taken; what is not kept says why.": crate::api::collect::Taken;
            400 "The body is no list of events, or of more than 500.": crate::answer::Failure<'static>;
            401 "There is no write key, or it is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site, or a page sends a server's key.": crate::answer::Failure<'static>;
            413 "The body is larger than 512 KB, or than 1 MB once it is decompressed.": crate::answer::Failure<'static>;
            415 "The body is compressed otherwise than by gzip.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "Events can't be kept at the moment: send them again.": crate::api::collect::Untaken;
        }
    }
    /// The same of RudderStack's, where it is told to use beacons.
    RudderBeacon "beacon/v1/batch" {
        POST Anyone "RudderStack: takes events." {
            @query "writeKey" optional "The write key, where no header names it.";
            <- std::collections::BTreeMap<String, serde_json::Value>;
            200 "They were taken; what is not kept says why.": crate::api::collect::Taken;
            400 "The body is no list of events, or of more than 500.": crate::answer::Failure<'static>;
            401 "There is no write key, or it is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site, or a page sends a server's key.": crate::answer::Failure<'static>;
            413 "The body is larger than 512 KB, or than 1 MB once it is decompressed.": crate::answer::Failure<'static>;
            415 "The body is compressed otherwise than by gzip.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "Events can't be kept at the moment: send them again.": crate::api::collect::Untaken;
        }
    }
    /// Settings of Segment's browser client.
    SegmentSettings "v1/projects/{key}/settings" {
        GET Anyone "Segment: settings of a browser." {
            @path "key" required "The write key.";
            200 "Where to send events.": std::collections::BTreeMap<String, serde_json::Value>;
            401 "The write key is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site.": crate::answer::Failure<'static>;
        }
    }
    /// An event as Segment's and RudderStack's browser clients send it.
    SegmentCall "v1/{call}" {
        POST Anyone "Segment, RudderStack: takes an event." {
            @path "call" required "`identify`, `track`, `page`, `group`, `alias`, `screen`, or the letter that Segment's browser client has for it.";
            <- std::collections::BTreeMap<String, serde_json::Value>;
            200 "They were taken; what is not kept says why.": crate::api::collect::Taken;
            400 "The body is no list of events, or of more than 500.": crate::api::collect::Untaken;
            401 "There is no write key, or it is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site, or a page sends a server's key.": crate::answer::Failure<'static>;
            413 "The body is larger than 512 KB, or than 1 MB once it is decompressed.": crate::answer::Failure<'static>;
            415 "The body is compressed otherwise than by gzip.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "Events can't be kept at the moment: send them again.": crate::api::collect::Untaken;
        }
    }
    /// Settings of RudderStack's browser client.
    RudderSettings "sourceConfig/" {
        GET Anyone "RudderStack: settings of a browser." {
            @query "writeKey" optional "The write key, where no header names it.";
            200 "No destinations.": std::collections::BTreeMap<String, serde_json::Value>;
            401 "The write key is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site.": crate::answer::Failure<'static>;
        }
    }
    /// An event as Jitsu's clients send it.
    JitsuCall "api/s/{call}" {
        POST Anyone "Jitsu: takes an event." {
            @path "call" required "`identify`, `track`, `page`, `group`, `alias`, `screen`; with `s2s/` before it from servers.";
            <- std::collections::BTreeMap<String, serde_json::Value>;
            200 "They were taken; what is not kept says why.": crate::api::collect::Taken;
            400 "The body is no list of events, or of more than 500.": crate::api::collect::Untaken;
            401 "There is no write key, or it is not known.": crate::answer::Failure<'static>;
            403 "The request is from a page of another site, or a page sends a server's key.": crate::answer::Failure<'static>;
            413 "The body is larger than 512 KB, or than 1 MB once it is decompressed.": crate::answer::Failure<'static>;
            415 "The body is compressed otherwise than by gzip.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            503 "Events can't be kept at the moment: send them again.": crate::api::collect::Untaken;
        }
    }
    /// Decisions for visitors of a server.
    Batch "api/decide" {
        POST Read "Decides for up to 1,000 visitors." {
            <- crate::api::batch::Asked;
            200 "For each visitor, in order, what was decided or what is wrong with them.": crate::api::batch::Decided<'static>;
            400 "The body can't be read.": crate::answer::Failure<'static>;
            413 "The body is larger than 4 MB.": crate::answer::Failure<'static>;
            503 "No program is published.": crate::answer::Failure<'static>;
        }
    }
    /// What is published, and publishing.
    Programs "api/program" {
        GET OwnerRead "What is live, what is scheduled, and the versions that are kept." {
            200 "What is published.": crate::api::owner::described::PublishedVersions;
        }
        POST OwnerPublish "Publishes a program." {
            @query "at" optional "When it becomes live (RFC 3339); at once without it.";
            @query "if-live" optional "Only where this version is live.";
            @query "dry-run" optional "Checks it and changes nothing.";
            <| "application/octet-stream"
            200 "It is published, or scheduled.": crate::api::owner::described::Published;
            400 "A parameter can't be read, or its instant is over.": crate::answer::Failure<'static>;
            409 "It is another site's, another version is live, or too many are scheduled.": crate::answer::Failure<'static>;
            413 "The program is larger than the store takes.": crate::answer::Failure<'static>;
            415 "The body is announced as something else than bytes.": crate::answer::Failure<'static>;
            422 "The bytes are no program that can run here.": crate::answer::Failure<'static>;
        }
        DELETE OwnerPublish "Cancels what is scheduled." {
            @query "scheduled" required "The version that is not to become live.";
            200 "What is published now.": crate::api::owner::described::PublishState;
            400 "The parameter is missing, or no version.": crate::answer::Failure<'static>;
            404 "It is not scheduled.": crate::answer::Failure<'static>;
        }
    }
    /// A version's bytes.
    Version "api/program/{version}" {
        GET OwnerRead "A program's bytes." {
            @path "version" required "Which.";
            @header "if-none-match" optional "The version that is known.";
            200 "The bytes." | "application/octet-stream" ["etag", "cache-control"];
            304 "It is the one that is known." ["etag", "cache-control"];
            404 "There is no such version of this site.": crate::answer::Failure<'static>;
        }
    }
    /// Going back to a version.
    Rollback "api/rollback" {
        POST OwnerPublish "Makes a version live that was published before; the one that was live before where none is named." {
            <- crate::api::owner::described::RollbackAsked;
            200 "It is live.": crate::api::owner::described::RolledBack;
            400 "The body can't be read.": crate::answer::Failure<'static>;
            404 "There is no such version of this site.": crate::answer::Failure<'static>;
            409 "Which version was live before is not known.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
        }
    }
    /// Who did what when.
    Audit "api/audit" {
        GET OwnerRead "Who did what when, the newest first." {
            @query "limit" optional "How many entries, 1 to 1000 (default 100).";
            @query "cursor" optional "Where a list before this one ended.";
            200 "The entries.": crate::api::owner::described::AuditTrail;
            400 "`limit` is no such number.": crate::answer::Failure<'static>;
        }
    }
    /// Events of the past.
    Import "api/import" {
        POST OwnerPublish "Takes events of the past, as JSON with one in each line, 1,000 at most. Those of a `messageId` that came within 7 days count once." {
            @query "source" required "Where they come from: 1 to 64 letters, digits, `-`, `_` or `.`.";
            @query "purposes" optional "What their people agreed to (default `analytics+personalization`).";
            <| "application/x-ndjson"
            200 "What became of each line, in their order.": crate::api::owner::described::Imported;
            400 "A parameter or the text can't be read, or there are too many lines.": crate::answer::Failure<'static>;
            413 "The body is larger than 2 MB.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
            503 "Some of them could not be taken: send all of them again.": crate::api::owner::described::NotImported;
        }
    }
    /// A note on a profile.
    Note "api/profile/{key}/notes/{id}" {
        DELETE OwnerPublish "Takes a note away." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            @path "id" required "The note's id.";
            200 "The notes that are left.": crate::api::owner::described::ProfileNotes;
            404 "There is no such note.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// The notes on a profile.
    Notes "api/profile/{key}/notes" {
        GET OwnerRead "The notes on a profile, the newest first." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            200 "The notes.": crate::api::owner::described::ProfileNotes;
            404 "There is no such profile.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
        POST OwnerPublish "Adds a note." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            <- crate::api::owner::described::NoteGiven;
            200 "The notes, this one among them.": crate::api::owner::described::ProfileNotes;
            400 "The body can't be read.": crate::answer::Failure<'static>;
            404 "There is no such profile.": crate::answer::Failure<'static>;
            409 "It has as many notes as it may have.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// A tag of a profile.
    Tag "api/profile/{key}/tags/{tag}" {
        DELETE OwnerPublish "Takes a tag off." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            @path "tag" required "The tag.";
            200 "The tags that are left.": crate::api::owner::described::ProfileTags;
            404 "There is no such tag on it.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// The tags of a profile.
    Tags "api/profile/{key}/tags" {
        GET OwnerRead "The tags of a profile." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            200 "The tags.": crate::api::owner::described::ProfileTags;
            404 "There is no such profile.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
        PUT OwnerPublish "Puts tags on a profile, beside those that it has." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            <- crate::api::owner::described::TagsGiven;
            200 "The tags that it has now.": crate::api::owner::described::ProfileTags;
            400 "The body can't be read.": crate::answer::Failure<'static>;
            404 "There is no such profile.": crate::answer::Failure<'static>;
            409 "It would have more tags than it may have.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// A profile that is erased.
    EraseProfile "api/profiles/{key}/erase" {
        POST OwnerPublish "Erases all that is stored of a visitor. The receipt is in the audit trail." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            200 "It is being erased, wherever it is. Also where nothing is known.": crate::api::identity::Erased;
            404 "It is no key of a profile.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// What became of an erasure.
    Receipt "api/receipts/{id}" {
        GET OwnerRead "What became of an erasure, or of a withdrawal: nothing of whose it was. Receipts are kept for five years." {
            @path "id" required "The receipt.";
            200 "What was done, and when.": crate::api::owner::described::ErasureReceipt;
            404 "There is no such receipt.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// Who read a profile.
    Accesses "api/profiles/{key}/accesses" {
        GET OwnerRead "Who read or exported a profile, the newest first; of the last 400 days." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            200 "Who, when, and what of it.": crate::api::owner::described::ProfileAccesses;
            404 "There is no such profile.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// All that is held of a visitor, for the owner. The host answers (`worker/js/rights.js`), and asks here who may call.
    ProfileExport "api/profiles/{key}/export" {
        POST OwnerRead "All that is held of a visitor, as a file. Who asked is in the audit trail, and with the profile." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            <- crate::api::profile::OwnerExportAsked, optional;
            200 "What is held, with the first page of what is in the bucket; or one more page of that.": crate::api::profile::Exported ["content-disposition"];
            400 "The body can't be read, or `after` is no cursor of this site's.": crate::answer::Failure<'static>;
            404 "There is no such profile.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// A profile.
    Facts "api/profile/{key}" {
        GET OwnerRead "All that is known of a visitor. Who asked is in the audit trail." {
            @path "key" required "The profile: `u:<userId>` or `a:<anonymousId>`, encoded.";
            200 "What is known.": crate::api::owner::described::ProfileFacts;
            404 "There is no such profile.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// The members of an audience.
    Members "api/audiences/{name}" {
        GET OwnerRead "The members of an audience, one to a line. Who asked is in the audit trail." {
            @path "name" required "The audience's name.";
            @query "cursor" optional "Where the list before this one ended (its header `x-idoine-cursor`).";
            200 "Members, as JSON: `key`, and `userId` or `anonymousId`. Where there are more, `x-idoine-cursor` says where they begin." | "application/x-ndjson";
            400 "`cursor` is none.": crate::answer::Failure<'static>;
            404 "The live program has no such audience.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// How many are in which audiences.
    Audiences "api/audiences" {
        GET OwnerRead "How many profiles are in which audiences, and in two of them." {
            200 "The counts.": crate::api::owner::described::AudienceCounts;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
        POST OwnerPublish "Has the site's quantiles (RFM) worked out anew, which otherwise happens once a day." {
            200 "They are.": crate::api::owner::described::QuantilesRenewed;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// In what events are otherwise than planned.
    Violations "api/violations" {
        GET OwnerRead "In what events were otherwise than the tracking plan says, the most frequent first." {
            @query "days" optional "Of how many days, 1 to 30 (default 30).";
            200 "The violations.": crate::api::owner::described::Violations;
            400 "`days` is no such number.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// What visitors chose.
    Consents "api/consents" {
        GET OwnerRead "How many visitors granted, refused and withdrew what, by day, wording and purpose." {
            @query "days" optional "Of how many days, 1 to 400 (default 30).";
            200 "The counts.": crate::api::owner::described::ConsentCounts;
            400 "`days` is no such number.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// What happened, of nobody.
    Measured "api/measured" {
        GET OwnerRead "What happened where nobody was asked, by day: counts without any id." {
            @query "days" optional "Of how many days, 1 to 400 (default 30).";
            200 "The counts.": crate::api::owner::described::MeasuredCounts;
            400 "`days` is no such number.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// Links for previews.
    Link "api/preview" {
        POST OwnerRead "Makes a link with which a browser may preview the site." {
            <- crate::api::owner::described::PreviewAsked;
            200 "The link.": crate::api::owner::described::PreviewLink;
            400 "The body can't be read, or `url` is no page of this site.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            429 "Too many requests.": crate::answer::Failure<'static> ["retry-after"];
            501 "The secret IDOINE_KEY, by which links are signed, is not set.": crate::answer::Failure<'static>;
        }
    }
    /// What sinks of events did not take.
    DeadLetters "api/dead-letters" {
        GET OwnerRead "What a sink did not take, and how it stands with the sinks." {
            @query "sink" optional "Only this one's: `queue`, `r2`, `webhook:<name>`.";
            @query "limit" optional "How many letters, 1 to 500 (default 100).";
            @query "cursor" optional "Where a list before this one ended.";
            200 "The letters.": crate::api::owner::described::DeadLetters;
            400 "A parameter can't be read.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
        POST OwnerPublish "Sends letters again, up to 500 of each shard." {
            <- crate::api::owner::described::ResendAsked;
            200 "They wait for their sink again.": crate::api::owner::described::Resent;
            400 "The body can't be read.": crate::answer::Failure<'static>;
            413 "The body is too large.": crate::answer::Failure<'static>;
            501 "The binding PROFILES is missing.": crate::answer::Failure<'static>;
        }
    }
    /// A slot as a flag.
    Flag "ofrep/v1/evaluate/flags/{key}" {
        POST VisitorOrRead "OFREP: one slot as a flag." {
            @path "key" required "The slot's id.";
            <- crate::api::ofrep::Asked;
            200 "What the slot shows; without `value` the caller's default counts.": crate::api::ofrep::Success<'static>;
            400 "The body or its context can't be read, or the targeting key is missing.": crate::api::ofrep::FlagFailure;
            401 "The token is not known.": crate::api::ofrep::FlagFailure ["www-authenticate"];
            403 "The request is from a page of another site.": crate::api::ofrep::FlagFailure;
            404 "There is no such slot.": crate::api::ofrep::FlagFailure;
            429 "Too many requests.": crate::api::ofrep::FlagFailure ["retry-after"];
            500 "Nothing can be decided.": crate::api::ofrep::FlagFailure;
        }
    }
    /// All slots as flags.
    Flags "ofrep/v1/evaluate/flags" {
        POST VisitorOrRead "OFREP: all slots as flags." {
            @header "if-none-match" optional "The answer that is known.";
            <- crate::api::ofrep::Asked;
            200 "What the slots show.": crate::api::ofrep::Bulk<'static> ["etag"];
            304 "It is the answer that is known." ["etag"];
            400 "The body or its context can't be read.": crate::api::ofrep::BulkFailure;
            401 "The token is not known.": crate::api::ofrep::BulkFailure ["www-authenticate"];
            403 "The request is from a page of another site.": crate::api::ofrep::BulkFailure;
            429 "Too many requests.": crate::api::ofrep::BulkFailure ["retry-after"];
            500 "Nothing can be decided.": crate::api::ofrep::BulkFailure;
        }
    }
    /// The description of all this. A file: `worker/js/assets.js` answers before a request gets here.
    Description "api/openapi.json" {
        GET Anyone "This document." {
            @header "if-none-match" optional "The document that is known.";
            200 "The document.": std::collections::BTreeMap<String, serde_json::Value> ["etag"];
            304 "It is the one that is known." ["etag"];
        }
    }
}

impl Endpoint {
    /// Whether it is one of those to which clients send events, or ask for their settings.
    pub fn takes_events(self) -> bool {
        matches!(
            self,
            Endpoint::Collect
                | Endpoint::SegmentBatch
                | Endpoint::SegmentShortBatch
                | Endpoint::RudderBeacon
                | Endpoint::SegmentSettings
                | Endpoint::SegmentCall
                | Endpoint::RudderSettings
                | Endpoint::JitsuCall
        )
    }
}
