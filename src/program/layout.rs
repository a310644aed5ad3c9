//! The binary layout of a program: 32-bit little-endian words.
//!
//! ```text
//! header    magic, format, checksum, length in bytes, version (2 words), fingerprint of the tables, number of sections
//! sections  for each: offset in words, number of records
//! data      the sections' records, each of its section's width; texts are the last section, bytes padded to a word
//! ```
//! The checksum is MurmurHash3 x86 32 over everything behind it. Records refer to each other by position, to texts by the
//! position of their entry in `Strings`; [`NONE`] stands for nothing.

use crate::context;
use crate::edit::EditOp;

/// "IDOI" in little-endian.
pub(crate) const MAGIC: u32 = 0x494f_4449;
/// The version of this layout. A program of another version is refused; so is one whose fields, sections or codes are not
/// these ([`FINGERPRINT`]), which need no new number.
pub const FORMAT: u32 = 2;
/// Words of the header.
pub(crate) const HEADER: usize = 8;
/// Stands for an absent text, node or record.
pub(crate) const NONE: u32 = u32::MAX;
/// The largest program that is loaded, in bytes.
pub const MAX_BYTES: usize = 64 << 20;

macro_rules! sections {
    ($($name:ident $width:literal: $doc:literal;)*) => {
        /// The sections, in their order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(dead_code)] // Not every runtime reads every section.
        pub(crate) enum Section { $(#[doc = $doc] $name),* }

        /// Words of a record of each section.
        pub(crate) const WIDTHS: &[usize] = &[$($width),*];
        const RECORDS: &[&str] = &[$(stringify!($name $width $doc)),*];
    };
}

sections! {
    Site 4: "id, holdout in parts per million, cap or NONE, numbers of shared nodes";
    Hosts 1: "text";
    Fields 3: "path, kind, purpose or NONE: those of FIELDS, then those that the manifest declares";
    Nodes 3: "operation (eight bits), whether its right operand costs less (one bit), number among the shared nodes from 1 or 0; two operands";
    Lists 1: "node";
    Audiences 2: "name, node";
    Slots 4: "id, selector or NONE, pages, selector or NONE where it is handed to the page's own code";
    Pages 3: "set of page rules: its first of PageRules, key and posting; they end where the next set's begin. The first set has no rules";
    PageRules 1: "rule, in the order of the manifest";
    Rules 4: "path, conditions or NONE, rule before it whose beginning its own begins with or NONE, first of RulePages; by beginning";
    RulePages 1: "set of page rules that a rule is in";
    RuleConditions 3: "host or NONE, first query rule, query rules";
    Queries 2: "parameter, glob";
    Keys 2: "hash of a field and its value, first posting: by hash within a set; postings before the first have no key";
    Postings 1: "experience, in the order of arbitration";
    KeyFields 1: "field that keys are made of";
    Experiences 4: "id, audience or NONE, terms, content of the first of its slots' variant 1: in the order of arbitration";
    Terms 14: "see Experience (its first word: kind, purpose, status, clock, whether others require it); equal ones once";
    Details 20: "see Details; equal ones once";
    Numbers 1: "weight of a variant, group, or variant that is required";
    RampPoints 3: "instant, share in parts per million";
    Requires 4: "experience, its factor, first variant, variants (0: any)";
    Groups 3: "name, most winners on a page, cap or NONE";
    Caps 5: "most times in a session, on a day, in a week and at all, each or NONE; minutes between two times";
    Factors 3: "name, first weight, weights: one for each level";
    Runs 2: "level of each factor, eight bits each";
    ExperienceSlots 3: "slot, contents of the experience before its own, factor";
    Contents 1: "text: see Content";
    Needs 1: "field without which an experience's content is unknown";
    Personas 3: "name, first value, values";
    PersonaValues 2: "path, text";
    Languages 1: "text";
    Holidays 3: "field, first date, dates";
    HolidayDates 1: "see day_number";
    PlaceLists 3: "field of the nearest's id (its name and distance follow), first place, places";
    Places 8: "id, name or NONE, three doubles: the point on a sphere of radius 1; by the third, then id";
    Zones 4: "name, first change, changes, year from which years with the same calendar have the same clocks";
    ZoneChanges 2: "see pack_change: the second since 1970, and the seconds ahead of UTC from then on";
    Sources 4: "table of sites, session time-out in minutes, whether a new campaign starts a session, attribution in days";
    InternalHosts 1: "text";
    ClickIds 3: "parameter, source, medium or NONE: in the order in which they count";
    Channels 6: "name, globs of source, medium, campaign, referrer and letter of the class, a line for each glob, each or NONE";
    Enrichments 7: "name, text of the URL's parts, first field, fields, seconds to keep, milliseconds to wait, decimals";
    EnrichmentFields 4: "declared field, path in the answer, first value that it may have, values (0: any)";
    EnrichmentValues 1: "text";
    EnrichmentReads 2: "experience, enrichment that its audience or its contents read";
    ClientHints 1: "text: the name of a header";
    DeviceWords 1: "text: see context/device/words.rs";
    Consent 4: "mode, version of the wording, notice (JSON) or NONE, keeping (JSON) or NONE: see compile/consent.rs";
    Script 2: "what the page's script captures or NONE, when a slot counts as seen or NONE: as its element's attributes say them; nothing where it does as always";
    Learned 1: "text: learn/rules.rs (postcard); nothing where who loads it only decides";
    Strings 2: "offset in bytes, length in bytes";
    Texts 1: "UTF-8, but for contents and URLs; padded with zeros";
}

/// Number of sections.
pub(crate) const SECTIONS: usize = WIDTHS.len();

macro_rules! codes {
    ($(#[$attribute:meta])* $enum:ident { $($name:ident),* $(,)? }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $enum { $($name),* }

        impl $enum {
            const NAMES: &[&str] = &[$(stringify!($name)),*];

            pub(crate) fn from_code(code: u32) -> Option<$enum> {
                [$($enum::$name),*].get(code as usize).copied()
            }
        }
    };
}

codes! {
    /// What a node of an expression does. `a` and `b` are nodes unless said otherwise; an operand that is not there is `NONE`.
    Op {
        // Constants. Bool: a; Int, Uint and Double: low and high half of 64 bits; String: a = text; Timestamp and Duration:
        // a = Int of whole seconds, b = nanoseconds.
        Bool, Int, Uint, Double, String, Timestamp, Duration,
        // a = first entry in Lists, b = number of items; of a map keys and values in turn.
        List, Map,
        // As List, but its items are all constants that are texts or integers.
        Constants,
        // a = field.
        Field, Has,
        // b = text.
        HasKey,
        // a = audience.
        Audience,
        // a = number of the macro around.
        Variable,
        And, Or, Not,
        // a = condition, b = first of two entries in Lists.
        Conditional,
        // Macros. a = list, b = first of two entries in Lists: variable, what is evaluated for each item.
        All, Exists, ExistsOne, Filter, MapItems,
        // Operations on one or two operands.
        Eq, Lt, Le,
        In, Index,
        Add, Sub, Mul, Div, Rem, Neg,
        Size, StartsWith, EndsWith, Contains, Glob, LowerAscii, UpperAscii, Trim, Split,
        ToBool, ToInt, ToUint, ToDouble, ToString, ToTimestamp, ToDuration, ToVersion, ToIp, ToCidr,
        ContainsIp,
        FullYear, Month, Date, DayOfMonth, DayOfWeek, DayOfYear, Hours, Minutes, Seconds, Milliseconds,
        // Operations on more: a = first entry in Lists, b = number of operands.
        SplitLimit, Distance,
    }
}

impl Op {
    /// Whether it makes a value of another type.
    pub(crate) fn is_conversion(self) -> bool {
        (Op::ToBool as u32..=Op::ToCidr as u32).contains(&(self as u32))
    }

    /// Whether it takes a part of a timestamp or duration.
    pub(crate) fn is_getter(self) -> bool {
        (Op::FullYear as u32..=Op::Milliseconds as u32).contains(&(self as u32))
    }
}

codes! {
    /// What a part of a content's value is, and how a field's value is escaped in its place.
    PartKind {
        // Text as it is.
        Literal,
        // The field's value as plain text.
        Plain,
        // Escaped for HTML text and quoted attributes.
        Html,
        // Percent-encoded, then escaped for a quoted attribute (nothing is left to escape).
        Url,
        // Escaped for a JSON string.
        Json,
    }
}

/// The version of the rules of learning, whose bytes do not say what they are (`learn/rules.rs`): it is raised whenever a type there
/// changes. `tests/rules.rs` tells when that was forgotten.
pub const RULES: &str = "2";

/// A number that differs between versions of what a program refers to by number: fields, sections and their records, codes.
pub(crate) const FINGERPRINT: u32 = {
    let mut hash = fold(context::FINGERPRINT, RECORDS);
    hash = fold(hash, &[RULES]);
    hash = fold(hash, context::DEVICE_NAMES);
    hash = fold(hash, Op::NAMES);
    hash = fold(hash, PartKind::NAMES);
    fold(hash, EditOp::NAMES)
};

#[allow(clippy::indexing_slicing)] // Evaluated by the compiler, which refuses what is out of bounds.
const fn fold(mut hash: u32, names: &[&str]) -> u32 {
    let mut index = 0;
    while index < names.len() {
        hash = context::fingerprint(hash, names[index].as_bytes());
        index += 1;
    }
    hash
}

/// A number of 64 bits, of which records keep the low and the high half.
pub(crate) fn wide(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}
