//! What visitors are asked, told and promised, as it is written.

use super::learn::Duration;
#[cfg(feature = "schema")]
use super::read::object_schema;
use super::read::{List, Named, Read, Reader, Spanned, choice, object};
use crate::consent::{Mode, Purpose};
use jsonc_parser::ast::Value;

/// A text in several languages, by their tags.
pub type Wording = Spanned<Named<Spanned<String>>>;

choice!(@read Mode
    ["opt-in" => Mode::OptIn, "opt-out" => Mode::OptOut, "measurement-exempt" => Mode::MeasurementExempt]
    ["opt-in", "Nothing is kept of a visitor before they agree", "opt-out", "What is not refused is kept", "measurement-exempt",
     "As opt-in; without consent experiments draw a variant for each page by itself, and only sums are counted"]
    "How the site has its visitors' consent.");

choice! { "Who asks visitors." Ask {
    Page "page": "The site itself, by the script's `consent.set`.";
    Banner "banner": "Idoine's own banner.";
    Platform "platform": "A consent platform that the site uses.";
} }

choice! { "A consent platform's way of telling what was chosen." Platform {
    Tcf "tcf": "The Transparency and Consent Framework of IAB Europe.";
    Google "google": "Google Consent Mode, version 2.";
} }

impl Ask {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Ask::Page => "page",
            Ask::Banner => "banner",
            Ask::Platform => "platform",
        }
    }
}

impl Platform {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Platform::Tcf => "tcf",
            Platform::Google => "google",
        }
    }
}

object! { "How visitors are asked what they agree to." ConsentPlan {
    optional mode "mode": Spanned<Mode> = "How the site has its visitors' consent (default opt-in).";
    optional version "version": Spanned<i32> = "The version of all wording: raise it when what is asked changes, and visitors are asked again (default 1).";
    optional policy "policy": Spanned<String> = "The address of the privacy policy: an https URL, or a path of the site.";
    optional ask "ask": Spanned<Ask> = "Who asks (default page).";
    default platforms "platforms": List<Spanned<Platform>> = "The consent platforms that are listened to.";
} }

object! { "A purpose, as visitors are told of it." PurposePlan {
    required title "title": Wording = "Its name, by language: en and fr at least, and each of the site's languages.";
    required text "text": Wording = "What is done for it, by language, in words that everybody understands.";
    optional keep "keep": Spanned<Duration> = "For how long what is kept for it is kept after the visitor was there last (default 395d; analytics 760d).";
} }

object! { "A sink that takes all events." SinkPlan {
    required purpose "purpose": Spanned<Purpose> = "The purpose without whose consent it is told nothing.";
} }

object! { "Where events are sent to beside webhooks." Sinks {
    optional queue "queue": SinkPlan = "The queue EVENTS.";
    optional r2 "r2": SinkPlan = "The bucket EVENTS_BUCKET.";
} }

object! { "Traits by which visitors say how they want to be addressed. All of them are editable." Preferences {
    optional topics "topics": Spanned<String> = "The trait of their topics: of type strings, with an enum.";
    optional frequency "frequency": Spanned<String> = "The trait of how often they want to hear something: of type string, with an enum.";
    optional quiet "quiet": Spanned<String> = "The trait that asks for quiet: of type bool.";
} }

/// What is kept for a purpose, by its name.
pub type Purposes = Vec<(Spanned<Purpose>, PurposePlan)>;

/// The purposes of a document, each by the name that there is for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PurposePlans(pub Purposes);

impl Read for PurposePlans {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        if let Value::Object(_) = reader.value {
            reader.object(&Purpose::ALL.map(Purpose::name))?;
        }
        let entries = reader.entries::<PurposePlan>()?.into_iter();
        let known = entries.filter_map(|(name, plan)| {
            let Spanned { value, span, path } = name;
            Some((Spanned { value: Purpose::from_name(&value)?, span, path }, plan))
        });
        Some(PurposePlans(known.collect()))
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        object_schema(
            "The purposes that visitors are asked to agree to.",
            Purpose::ALL.map(|purpose| (false, purpose.name(), PurposePlan::schema(), purpose.name())),
        )
    }
}
