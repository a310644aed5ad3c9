//! Enrichments: what a JSON endpoint tells of a request's place, page or campaign.

#[cfg(feature = "schema")]
use super::read::object_schema;
use super::read::{List, Named, Read, Reader, Spanned, object};
use crate::context::Kind;

object! { "Values from a JSON endpoint, asked at the edge and kept; unknown where it does not answer in time. Expressions and templates read them as `enrichment.<name>.<field>`." Enrichment {
    required url "url": Spanned<String> = "The endpoint's https URL. `{{ path | \"default\" }}` stands for a value of the request, behind the host.";
    required fields "fields": Named<EnrichmentField> = "The values to read from its answer.";
    optional cache_seconds "cache_seconds": Spanned<i32> = "How long an answer is kept for the same URL, 10 to 86400 seconds (default 600).";
    optional timeout_ms "timeout_ms": Spanned<i32> = "How long a page waits for it, 1 to 50 milliseconds (default 50).";
    optional precision "precision": Spanned<i32> = "Decimals of numbers in the URL, 0 to 6 (default 2: a coordinate to about a kilometre).";
} }

object! { "A value in the endpoint's answer." EnrichmentField {
    required kind "type": Kind = "The type of its value. A value of another type is unknown; an int is rounded.";
    required path "path": Spanned<String> = "Where it stands: names of fields and positions in lists, such as current.condition.text or list.0.name.";
    optional values "enum": List<Spanned<String>> = "The only values a string may have; any other is unknown. Comparing with another is an error.";
} }
