//! The table of the language's operators, functions and macros: what the checker accepts, what editors and the reference
//! page show. `tests/spec/expr/functions.json` is this table as data.

use super::types::Type;
use crate::program::layout::Op;

/// A type in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this type.
    Bool,
    /// Exactly this type.
    Int,
    /// Exactly this type.
    Uint,
    /// Exactly this type.
    Double,
    /// Exactly this type.
    String,
    /// Exactly this type.
    Timestamp,
    /// Exactly this type.
    Duration,
    /// Exactly this type.
    Version,
    /// Exactly this type.
    Ip,
    /// Exactly this type.
    Cidr,
    /// int, uint or double.
    Number,
    /// Any type, the same wherever `A` stands in a signature.
    A,
    /// Any type, the same wherever `B` stands in a signature.
    B,
    /// A list of `A`.
    ListA,
    /// A list of `B`.
    ListB,
    /// A list of texts.
    Strings,
    /// A map from `A` to `B`.
    Map,
    /// Any type, not known before evaluation.
    Dyn,
}

impl Pattern {
    /// The type's name in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::Bool => "bool",
            Pattern::Int => "int",
            Pattern::Uint => "uint",
            Pattern::Double => "double",
            Pattern::String => "string",
            Pattern::Timestamp => "timestamp",
            Pattern::Duration => "duration",
            Pattern::Version => "version",
            Pattern::Ip => "ip",
            Pattern::Cidr => "cidr",
            Pattern::Number => "number",
            Pattern::A => "A",
            Pattern::B => "B",
            Pattern::ListA => "list(A)",
            Pattern::ListB => "list(B)",
            Pattern::Strings => "list(string)",
            Pattern::Map => "map(A, B)",
            Pattern::Dyn => "dyn",
        }
    }
}

/// How a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `a + b`, `!a`, `a[b]`, `a ? b : c`
    Operator,
    /// `f(a)`
    Function,
    /// `a.f(b)`
    Method,
    /// `f(a)` or `a.f()`
    Both,
    /// `a.f(item, expression)`, `has(a.b)`
    Macro,
}

/// An entry of the table. Its words are for editors and the reference page: whoever only checks expressions does without.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The name or the operator's sign.
    pub name: &'static str,
    /// How it is written.
    pub style: Style,
    /// The types of its operands, a method's receiver first.
    pub arguments: &'static [Pattern],
    /// The type of its result.
    pub result: Pattern,
    /// The signature as people read it; unique in the table.
    pub signature: &'static str,
    /// What it does.
    #[cfg(feature = "schema")]
    pub doc: &'static str,
    /// What it is where an operand is missing.
    #[cfg(feature = "schema")]
    pub missing: &'static str,
    /// When it is an error; empty when never. In a decision an error counts as unknown.
    #[cfg(feature = "schema")]
    pub errors: &'static str,
    /// An expression that uses it.
    #[cfg(feature = "schema")]
    pub example: &'static str,
    /// `None` where the checker or the parser sees to it. Of `>`, `>=` and `!=` it is that of `<`, `<=` and `==`, which say the
    /// same of swapped operands, or the opposite.
    pub(crate) op: Option<Op>,
}

#[cfg(feature = "schema")]
const STRICT: &str = "unknown when an operand is unknown";
#[cfg(feature = "schema")]
const OVERFLOW: &str = "overflow of 64 bits";
#[cfg(feature = "schema")]
const RANGE: &str = "a result outside the years 1 to 9999";
#[cfg(feature = "schema")]
const LENGTH: &str = "a result of more than 315576000000 seconds";

macro_rules! table {
    ($($style:ident $name:literal $signature:literal ($($argument:ident),*) -> $result:ident $($op:ident)?
        : $doc:literal, $missing:expr, $errors:expr, $example:literal;)*) => {
        /// Every operator, function and macro.
        pub const FUNCTIONS: &[Function] = &[$(Function {
            name: $name, style: Style::$style, arguments: &[$(Pattern::$argument),*], result: Pattern::$result, signature: $signature,
            #[cfg(feature = "schema")] doc: $doc, #[cfg(feature = "schema")] missing: $missing,
            #[cfg(feature = "schema")] errors: $errors, #[cfg(feature = "schema")] example: $example,
            op: table!(@op $($op)?),
        }),*];
    };
    (@op) => { None };
    (@op $op:ident) => { Some(Op::$op) };
}

table! {
    Operator "&&" "bool && bool" (Bool, Bool) -> Bool
        : "Whether both are true.", "false when the other operand is false, whatever is unknown; else unknown", "", "geo.is_eu && device.type == 'mobile'";
    Operator "||" "bool || bool" (Bool, Bool) -> Bool
        : "Whether one of them is true.", "true when the other operand is true, whatever is unknown; else unknown", "", "geo.country == 'FR' || language.primary == 'fr'";
    Operator "!" "!bool" (Bool) -> Bool Not
        : "Whether it is false.", STRICT, "", "!geo.is_eu";
    Operator "?:" "bool ? A : A" (Bool, A, A) -> A
        : "The second operand when the first is true, else the third.", "unknown when the first operand is unknown, or the chosen one is", "", "geo.is_eu ? 'EUR' : 'USD'";
    Operator "==" "A == A" (A, A) -> Bool Eq
        : "Whether both are equal. Numbers of all types compare by value; lists item by item; maps whatever their order. NaN equals nothing.", STRICT, "", "geo.country == 'FR'";
    Operator "!=" "A != A" (A, A) -> Bool Eq
        : "Whether they differ.", STRICT, "", "geo.country != 'FR'";
    Operator "<" "bool < bool" (Bool, Bool) -> Bool Lt
        : "Order: false comes before true. Likewise <=, > and >=.", STRICT, "", "false < true";
    Operator "<" "number < number" (Number, Number) -> Bool Lt
        : "Order by value, whatever the types of the numbers. Likewise <=, > and >=.", STRICT, "", "time.hour < 12";
    Operator "<" "string < string" (String, String) -> Bool Lt
        : "Order of the texts' code points. Likewise <=, > and >=.", STRICT, "", "time.clock < '18:30'";
    Operator "<" "timestamp < timestamp" (Timestamp, Timestamp) -> Bool Lt
        : "Whether the first comes before. Likewise <=, > and >=.", STRICT, "", "time.now < timestamp('2026-12-24T18:00:00+01:00')";
    Operator "<" "duration < duration" (Duration, Duration) -> Bool Lt
        : "Whether the first is shorter. Likewise <=, > and >=.", STRICT, "", "timestamp('2026-12-25T00:00:00Z') - time.now < duration('72h')";
    Operator "<" "version < version" (Version, Version) -> Bool Lt
        : "Order by precedence (Semantic Versioning 2.0.0, section 11): numbers from the left, missing ones count as 0, a pre-release comes before its release. Likewise <=, > and >=.", STRICT, "", "version(device.os_version) < version('17.2')";
    Operator "<=" "bool <= bool" (Bool, Bool) -> Bool Le : "Not after; see <.", STRICT, "", "false <= true";
    Operator "<=" "number <= number" (Number, Number) -> Bool Le : "At most; see <.", STRICT, "", "time.hour <= 12";
    Operator "<=" "string <= string" (String, String) -> Bool Le : "Not after; see <.", STRICT, "", "time.date <= '2026-12-24'";
    Operator "<=" "timestamp <= timestamp" (Timestamp, Timestamp) -> Bool Le : "Not after; see <.", STRICT, "", "time.now <= timestamp('2026-12-24T18:00:00Z')";
    Operator "<=" "duration <= duration" (Duration, Duration) -> Bool Le : "Not longer; see <.", STRICT, "", "duration('59m') <= duration('1h')";
    Operator "<=" "version <= version" (Version, Version) -> Bool Le : "Not after; see <.", STRICT, "", "version(device.browser_version) <= version('120')";
    Operator ">" "bool > bool" (Bool, Bool) -> Bool Lt : "After; see <.", STRICT, "", "true > false";
    Operator ">" "number > number" (Number, Number) -> Bool Lt : "More than; see <.", STRICT, "", "device.viewport_width > 1200";
    Operator ">" "string > string" (String, String) -> Bool Lt : "After; see <.", STRICT, "", "time.clock > '18:30'";
    Operator ">" "timestamp > timestamp" (Timestamp, Timestamp) -> Bool Lt : "After; see <.", STRICT, "", "time.now > timestamp('2026-12-24T18:00:00Z')";
    Operator ">" "duration > duration" (Duration, Duration) -> Bool Lt : "Longer; see <.", STRICT, "", "duration('61m') > duration('1h')";
    Operator ">" "version > version" (Version, Version) -> Bool Lt : "After; see <.", STRICT, "", "version(device.browser_version) > version('120')";
    Operator ">=" "bool >= bool" (Bool, Bool) -> Bool Le : "Not before; see <.", STRICT, "", "true >= false";
    Operator ">=" "number >= number" (Number, Number) -> Bool Le : "At least; see <.", STRICT, "", "time.hour >= 18";
    Operator ">=" "string >= string" (String, String) -> Bool Le : "Not before; see <.", STRICT, "", "time.clock >= '18:30'";
    Operator ">=" "timestamp >= timestamp" (Timestamp, Timestamp) -> Bool Le : "Not before; see <.", STRICT, "", "time.now >= timestamp('2026-12-24T18:00:00Z')";
    Operator ">=" "duration >= duration" (Duration, Duration) -> Bool Le : "Not shorter; see <.", STRICT, "", "duration('60m') >= duration('1h')";
    Operator ">=" "version >= version" (Version, Version) -> Bool Le : "Not before; see <.", STRICT, "", "version(device.os_version) >= version('17')";
    Operator "in" "A in list(A)" (A, ListA) -> Bool In
        : "Whether the list has an item that equals it.", "unknown when it or the list is unknown, or an item is and no other equals it", "", "geo.country in ['FR', 'BE', 'LU']";
    Operator "in" "A in map(A, B)" (A, Map) -> Bool In
        : "Whether the map has that key.", STRICT, "", "'coupon' in page.query";
    Operator "+" "int + int" (Int, Int) -> Int Add : "Sum.", STRICT, OVERFLOW, "time.hour + 1";
    Operator "+" "uint + uint" (Uint, Uint) -> Uint Add : "Sum.", STRICT, OVERFLOW, "1u + 2u";
    Operator "+" "double + double" (Double, Double) -> Double Add : "Sum.", STRICT, "", "geo.latitude + 0.5";
    Operator "+" "string + string" (String, String) -> String Add : "One text behind the other.", STRICT, "a result of more than 65536 bytes", "geo.country + '-' + geo.region_code";
    Operator "+" "list(A) + list(A)" (ListA, ListA) -> ListA Add : "One list behind the other.", STRICT, "a result of more than 256 items", "language.accepted + ['en']";
    Operator "+" "timestamp + duration" (Timestamp, Duration) -> Timestamp Add : "The instant so much later.", STRICT, RANGE, "time.now + duration('24h')";
    Operator "+" "duration + timestamp" (Duration, Timestamp) -> Timestamp Add : "The instant so much later.", STRICT, RANGE, "duration('24h') + time.now";
    Operator "+" "duration + duration" (Duration, Duration) -> Duration Add : "Sum.", STRICT, LENGTH, "duration('1h') + duration('30m')";
    Operator "-" "int - int" (Int, Int) -> Int Sub : "Difference.", STRICT, OVERFLOW, "time.year - 18";
    Operator "-" "uint - uint" (Uint, Uint) -> Uint Sub : "Difference.", STRICT, OVERFLOW, "3u - 2u";
    Operator "-" "double - double" (Double, Double) -> Double Sub : "Difference.", STRICT, "", "geo.latitude - 0.5";
    Operator "-" "timestamp - timestamp" (Timestamp, Timestamp) -> Duration Sub : "The time between them.", STRICT, LENGTH, "time.now - timestamp('2026-11-20T00:00:00Z')";
    Operator "-" "timestamp - duration" (Timestamp, Duration) -> Timestamp Sub : "The instant so much earlier.", STRICT, RANGE, "time.now - duration('24h')";
    Operator "-" "duration - duration" (Duration, Duration) -> Duration Sub : "Difference.", STRICT, LENGTH, "duration('1h') - duration('30m')";
    Operator "*" "int * int" (Int, Int) -> Int Mul : "Product.", STRICT, OVERFLOW, "time.hour * 60 + time.minute";
    Operator "*" "uint * uint" (Uint, Uint) -> Uint Mul : "Product.", STRICT, OVERFLOW, "2u * 3u";
    Operator "*" "double * double" (Double, Double) -> Double Mul : "Product.", STRICT, "", "geo.latitude * 2.0";
    Operator "/" "int / int" (Int, Int) -> Int Div : "Quotient, cut off towards zero.", STRICT, "division by zero; overflow of 64 bits", "time.hour / 6";
    Operator "/" "uint / uint" (Uint, Uint) -> Uint Div : "Quotient, cut off.", STRICT, "division by zero", "7u / 2u";
    Operator "/" "double / double" (Double, Double) -> Double Div : "Quotient; infinite or NaN where it divides by zero.", STRICT, "", "geo.latitude / 2.0";
    Operator "%" "int % int" (Int, Int) -> Int Rem : "Remainder, with the sign of the first.", STRICT, "division by zero; overflow of 64 bits", "time.day % 2 == 0";
    Operator "%" "uint % uint" (Uint, Uint) -> Uint Rem : "Remainder.", STRICT, "division by zero", "7u % 2u";
    Operator "-" "-int" (Int) -> Int Neg : "The number with the other sign.", STRICT, OVERFLOW, "-time.hour";
    Operator "-" "-double" (Double) -> Double Neg : "The number with the other sign.", STRICT, "", "-geo.latitude";
    Operator "[]" "list(A)[int]" (ListA, Int) -> A Index : "The item at that position, from 0.", STRICT, "no item there", "language.accepted[0]";
    Operator "[]" "map(A, B)[A]" (Map, A) -> B Index : "The value of that key. map.key is the same for keys that are names; map.`a-key` for others.", STRICT, "no such key", "page.query['utm_id']";
    Macro "has" "has(field)" (Dyn) -> Bool
        : "Whether a field is present, or a map has a key.", "false when the field is missing; unknown when the map is", "", "has(geo.city)";
    Macro "all" "list(A).all(item, bool)" (ListA, Bool) -> Bool All
        : "Whether the condition holds for every item; of a map, for every key. True for an empty list.", "false when it is false for one item; else unknown when it is unknown for one, or the list is", "", "language.accepted.all(tag, tag.startsWith('en'))";
    Macro "exists" "list(A).exists(item, bool)" (ListA, Bool) -> Bool Exists
        : "Whether the condition holds for an item; of a map, for a key.", "true when it is true for one item; else unknown when it is unknown for one, or the list is", "", "language.accepted.exists(tag, tag.startsWith('fr'))";
    Macro "exists_one" "list(A).exists_one(item, bool)" (ListA, Bool) -> Bool ExistsOne
        : "Whether the condition holds for exactly one item; of a map, for one key. Also written existsOne.", "unknown when the condition is unknown for an item, or the list is", "", "language.accepted.exists_one(tag, tag == 'fr')";
    Macro "filter" "list(A).filter(item, bool)" (ListA, Bool) -> ListA Filter
        : "The items for which the condition holds; of a map, its keys.", "unknown when the condition is unknown for an item, or the list is", "", "size(language.accepted.filter(tag, tag.startsWith('fr'))) > 1";
    Macro "map" "list(A).map(item, B)" (ListA, B) -> ListB MapItems
        : "The expression's value for each item; of a map, for each key.", "unknown when the expression is unknown for an item, or the list is", "", "'fr' in language.accepted.map(tag, tag.lowerAscii())";
    Macro "map" "list(A).map(item, bool, B)" (ListA, Bool, B) -> ListB
        : "The expression's value for each item for which the condition holds.", "unknown when one of them is unknown for an item, or the list is", "", "language.accepted.map(tag, tag.contains('-'), tag.split('-')[1])";
    Both "size" "size(string)" (String) -> Int Size : "Number of characters (code points).", STRICT, "", "size(page.path) > 20";
    Both "size" "size(list(A))" (ListA) -> Int Size : "Number of items.", STRICT, "", "size(language.accepted) > 1";
    Both "size" "size(map(A, B))" (Map) -> Int Size : "Number of keys.", STRICT, "", "page.query.size() == 0";
    Method "startsWith" "string.startsWith(string)" (String, String) -> Bool StartsWith : "Whether the text begins so.", STRICT, "", "page.path.startsWith('/sale/')";
    Method "endsWith" "string.endsWith(string)" (String, String) -> Bool EndsWith : "Whether the text ends so.", STRICT, "", "page.path.endsWith('.html')";
    Method "contains" "string.contains(string)" (String, String) -> Bool Contains : "Whether the other text stands in it.", STRICT, "", "source.campaign.contains('summer')";
    Method "glob" "string.glob(string)" (String, String) -> Bool Glob : "Whether the whole text matches a pattern, in which * stands for any run of characters, / included. As in page rules.", STRICT, "", "page.path.glob('/collections/*/sale')";
    Method "lowerAscii" "string.lowerAscii()" (String) -> String LowerAscii : "The text with A to Z in lower case.", STRICT, "", "source.campaign.lowerAscii() == 'summer'";
    Method "upperAscii" "string.upperAscii()" (String) -> String UpperAscii : "The text with a to z in upper case.", STRICT, "", "language.primary.upperAscii() == 'FR'";
    Method "trim" "string.trim()" (String) -> String Trim : "The text without white space (Unicode) at its ends.", STRICT, "", "source.term.trim() == 'shoes'";
    Method "split" "string.split(string)" (String, String) -> Strings Split : "The parts between the separators; an empty separator splits into characters.", STRICT, "more than 256 parts", "page.path.split('/')[1] == 'fr'";
    Method "split" "string.split(string, int)" (String, String, Int) -> Strings SplitLimit : "At most so many parts, the last with the rest; a negative number means all.", STRICT, "more than 256 parts", "page.path.split('/', 3)[2] == 'a/b'";
    Function "bool" "bool(bool)" (Bool) -> Bool ToBool : "The same.", STRICT, "", "bool(geo.is_eu)";
    Function "bool" "bool(string)" (String) -> Bool ToBool : "true of 1, t, true, TRUE and True; false of 0, f, false, FALSE and False.", STRICT, "any other text", "bool(page.query.debug)";
    Function "int" "int(int)" (Int) -> Int ToInt : "The same.", STRICT, "", "int(time.hour)";
    Function "int" "int(uint)" (Uint) -> Int ToInt : "The same number.", STRICT, "more than 9223372036854775807", "int(7u)";
    Function "int" "int(double)" (Double) -> Int ToInt : "Without its fraction.", STRICT, "a result of more than 64 bits, NaN", "int(geo.latitude)";
    Function "int" "int(string)" (String) -> Int ToInt : "The number that a text says.", STRICT, "no whole number of 64 bits", "int(page.query.page) > 1";
    Function "int" "int(timestamp)" (Timestamp) -> Int ToInt : "Seconds since 1970-01-01T00:00:00Z.", STRICT, "", "int(time.now)";
    Function "uint" "uint(uint)" (Uint) -> Uint ToUint : "The same.", STRICT, "", "uint(7u)";
    Function "uint" "uint(int)" (Int) -> Uint ToUint : "The same number.", STRICT, "a negative number", "uint(time.hour)";
    Function "uint" "uint(double)" (Double) -> Uint ToUint : "Without its fraction.", STRICT, "a negative result, more than 64 bits, NaN", "uint(7.9)";
    Function "uint" "uint(string)" (String) -> Uint ToUint : "The number that a text says.", STRICT, "no whole number of 64 bits without a sign", "uint('7')";
    Function "double" "double(double)" (Double) -> Double ToDouble : "The same.", STRICT, "", "double(geo.latitude)";
    Function "double" "double(int)" (Int) -> Double ToDouble : "The nearest double.", STRICT, "", "double(time.hour) / 24.0";
    Function "double" "double(uint)" (Uint) -> Double ToDouble : "The nearest double.", STRICT, "", "double(7u)";
    Function "double" "double(string)" (String) -> Double ToDouble : "The number that a text says, rounded to the nearest double.", STRICT, "no number", "double(page.query.price) < 50.0";
    Function "string" "string(string)" (String) -> String ToString : "The same.", STRICT, "", "string(geo.city)";
    Function "string" "string(bool)" (Bool) -> String ToString : "true or false.", STRICT, "", "string(geo.is_eu)";
    Function "string" "string(int)" (Int) -> String ToString : "Decimal digits.", STRICT, "", "string(time.hour)";
    Function "string" "string(uint)" (Uint) -> String ToString : "Decimal digits.", STRICT, "", "string(7u)";
    Function "string" "string(double)" (Double) -> String ToString : "The shortest text that reads as the same number, as ECMAScript's Number::toString.", STRICT, "", "string(geo.latitude)";
    Function "string" "string(timestamp)" (Timestamp) -> String ToString : "RFC 3339 in UTC: 2026-11-20T12:30:00Z.", STRICT, "", "string(time.now)";
    Function "string" "string(duration)" (Duration) -> String ToString : "Seconds: 5400s, 1.5s.", STRICT, "", "string(duration('90m'))";
    Function "string" "string(version)" (Version) -> String ToString : "The version as it was written.", STRICT, "", "string(version('17.2'))";
    Function "string" "string(ip)" (Ip) -> String ToString : "The address: 192.0.2.1, 2001:db8::1 (RFC 5952).", STRICT, "", "string(ip(network.ip))";
    Function "string" "string(cidr)" (Cidr) -> String ToString : "The range as it is read: 192.0.2.0/24.", STRICT, "", "string(cidr('192.0.2.0/24'))";
    Function "timestamp" "timestamp(timestamp)" (Timestamp) -> Timestamp ToTimestamp : "The same.", STRICT, "", "timestamp(time.now)";
    Function "timestamp" "timestamp(string)" (String) -> Timestamp ToTimestamp : "The instant that an RFC 3339 text says; its offset is Z or such as +01:00.", STRICT, "any other text; a result outside the years 1 to 9999", "time.now > timestamp('2026-11-20T18:00:00+01:00')";
    Function "timestamp" "timestamp(int)" (Int) -> Timestamp ToTimestamp : "So many seconds after 1970-01-01T00:00:00Z.", STRICT, RANGE, "timestamp(1795183200)";
    Function "duration" "duration(duration)" (Duration) -> Duration ToDuration : "The same.", STRICT, "", "duration(duration('1h'))";
    Function "duration" "duration(string)" (String) -> Duration ToDuration : "Numbers with units h, m, s, ms, us, ns, such as 1h30m or -1.5h.", STRICT, "any other text; more than 315576000000 seconds", "time.now + duration('36h')";
    Function "dyn" "dyn(A)" (A) -> Dyn : "The same value, whose type is looked at when it is evaluated.", STRICT, "", "dyn(1) == 1.0";
    Method "getFullYear" "timestamp.getFullYear()" (Timestamp) -> Int FullYear : "Year, in UTC or in the zone that is given.", STRICT, "", "time.now.getFullYear()";
    Method "getFullYear" "timestamp.getFullYear(string)" (Timestamp, String) -> Int FullYear : "Year in a time zone (IANA name or offset such as +02:00).", STRICT, "an unknown zone", "time.now.getFullYear('Europe/Paris')";
    Method "getMonth" "timestamp.getMonth()" (Timestamp) -> Int Month : "Month, 0 = January, in UTC.", STRICT, "", "time.now.getMonth() == 11";
    Method "getMonth" "timestamp.getMonth(string)" (Timestamp, String) -> Int Month : "Month, 0 = January, in a time zone.", STRICT, "an unknown zone", "time.now.getMonth('Europe/Paris')";
    Method "getDate" "timestamp.getDate()" (Timestamp) -> Int Date : "Day of the month, from 1, in UTC.", STRICT, "", "time.now.getDate() == 1";
    Method "getDate" "timestamp.getDate(string)" (Timestamp, String) -> Int Date : "Day of the month, from 1, in a time zone.", STRICT, "an unknown zone", "time.now.getDate('Asia/Tokyo')";
    Method "getDayOfMonth" "timestamp.getDayOfMonth()" (Timestamp) -> Int DayOfMonth : "Day of the month, from 0, in UTC.", STRICT, "", "time.now.getDayOfMonth() == 0";
    Method "getDayOfMonth" "timestamp.getDayOfMonth(string)" (Timestamp, String) -> Int DayOfMonth : "Day of the month, from 0, in a time zone.", STRICT, "an unknown zone", "time.now.getDayOfMonth('Asia/Tokyo')";
    Method "getDayOfWeek" "timestamp.getDayOfWeek()" (Timestamp) -> Int DayOfWeek : "Day of the week, 0 = Sunday, in UTC.", STRICT, "", "time.now.getDayOfWeek() in [0, 6]";
    Method "getDayOfWeek" "timestamp.getDayOfWeek(string)" (Timestamp, String) -> Int DayOfWeek : "Day of the week, 0 = Sunday, in a time zone.", STRICT, "an unknown zone", "time.now.getDayOfWeek(geo.timezone) == 5";
    Method "getDayOfYear" "timestamp.getDayOfYear()" (Timestamp) -> Int DayOfYear : "Day of the year, from 0, in UTC.", STRICT, "", "time.now.getDayOfYear() == 0";
    Method "getDayOfYear" "timestamp.getDayOfYear(string)" (Timestamp, String) -> Int DayOfYear : "Day of the year, from 0, in a time zone.", STRICT, "an unknown zone", "time.now.getDayOfYear('Europe/Paris')";
    Method "getHours" "timestamp.getHours()" (Timestamp) -> Int Hours : "Hour, 0 to 23, in UTC.", STRICT, "", "time.now.getHours() < 6";
    Method "getHours" "timestamp.getHours(string)" (Timestamp, String) -> Int Hours : "Hour, 0 to 23, in a time zone.", STRICT, "an unknown zone", "time.now.getHours('Europe/Paris') >= 9";
    Method "getHours" "duration.getHours()" (Duration) -> Int Hours : "Whole hours of the length.", STRICT, "", "(time.now - timestamp('2026-11-20T00:00:00Z')).getHours() > 48";
    Method "getMinutes" "timestamp.getMinutes()" (Timestamp) -> Int Minutes : "Minute, 0 to 59, in UTC.", STRICT, "", "time.now.getMinutes() < 30";
    Method "getMinutes" "timestamp.getMinutes(string)" (Timestamp, String) -> Int Minutes : "Minute, 0 to 59, in a time zone.", STRICT, "an unknown zone", "time.now.getMinutes('Asia/Kathmandu')";
    Method "getMinutes" "duration.getMinutes()" (Duration) -> Int Minutes : "Whole minutes of the length.", STRICT, "", "duration('90m').getMinutes()";
    Method "getSeconds" "timestamp.getSeconds()" (Timestamp) -> Int Seconds : "Second, 0 to 59, in UTC.", STRICT, "", "time.now.getSeconds()";
    Method "getSeconds" "timestamp.getSeconds(string)" (Timestamp, String) -> Int Seconds : "Second, 0 to 59, in a time zone.", STRICT, "an unknown zone", "time.now.getSeconds('UTC')";
    Method "getSeconds" "duration.getSeconds()" (Duration) -> Int Seconds : "Whole seconds of the length.", STRICT, "", "duration('90m').getSeconds()";
    Method "getMilliseconds" "timestamp.getMilliseconds()" (Timestamp) -> Int Milliseconds : "Milliseconds of the second, 0 to 999.", STRICT, "", "time.now.getMilliseconds()";
    Method "getMilliseconds" "timestamp.getMilliseconds(string)" (Timestamp, String) -> Int Milliseconds : "Milliseconds of the second, 0 to 999, in a time zone.", STRICT, "an unknown zone", "time.now.getMilliseconds('UTC')";
    Method "getMilliseconds" "duration.getMilliseconds()" (Duration) -> Int Milliseconds : "Milliseconds of the length's second, 0 to 999.", STRICT, "", "duration('1.5s').getMilliseconds()";
    Function "version" "version(string)" (String) -> Version ToVersion : "The version that a text says: numbers with dots between, optionally v before and -pre-release or +build behind.", STRICT, "any other text", "version(device.browser_version) >= version('120.0')";
    Function "version" "version(version)" (Version) -> Version ToVersion : "The same.", STRICT, "", "version(version('1.2'))";
    Function "ip" "ip(string)" (String) -> Ip ToIp : "The IP address, version 4 or 6, that a text says.", STRICT, "any other text", "ip(network.ip) == ip('192.0.2.1')";
    Function "ip" "ip(ip)" (Ip) -> Ip ToIp : "The same.", STRICT, "", "ip(ip('192.0.2.1'))";
    Function "cidr" "cidr(string)" (String) -> Cidr ToCidr : "The range of IP addresses that a text says: an address, a slash and the length of the prefix.", STRICT, "any other text; bits behind the prefix", "cidr('192.0.2.0/24').containsIP(network.ip)";
    Function "cidr" "cidr(cidr)" (Cidr) -> Cidr ToCidr : "The same.", STRICT, "", "cidr(cidr('192.0.2.0/24'))";
    Method "containsIP" "cidr.containsIP(ip)" (Cidr, Ip) -> Bool ContainsIp : "Whether the address is in the range. A range of version 4 has no address of version 6.", STRICT, "", "cidr('10.0.0.0/8').containsIP(ip(network.ip))";
    Method "containsIP" "cidr.containsIP(string)" (Cidr, String) -> Bool ContainsIp : "Whether the address that a text says is in the range.", STRICT, "a text that is no address", "cidr('10.0.0.0/8').containsIP(network.ip)";
    Function "geo.distance_km" "geo.distance_km(number, number)" (Number, Number) -> Double Distance : "Kilometres from the visitor to a latitude and longitude in degrees, along the surface of the earth.", "unknown when the visitor's place or an operand is unknown", "a latitude beyond 90 or a longitude beyond 180 degrees", "geo.distance_km(48.8566, 2.3522) < 25.0";
}

/// The types that `A` and `B` of a signature stand for.
#[derive(Debug, Clone, Default)]
struct Bound {
    a: Option<Type>,
    b: Option<Type>,
}

impl Bound {
    fn bind(slot: &mut Option<Type>, found: &Type) -> bool {
        let joined = match slot {
            None => Some(found.clone()),
            Some(known) => known.comparable(found),
        };
        let fits = joined.is_some();
        *slot = joined.or(slot.take());
        fits
    }

    fn fits(&mut self, pattern: Pattern, found: &Type) -> bool {
        match (pattern, found) {
            (Pattern::A, found) => Bound::bind(&mut self.a, found),
            (Pattern::B, found) => Bound::bind(&mut self.b, found),
            (_, Type::Dyn) => true,
            (Pattern::Number, found) => found.is_number(),
            (Pattern::ListA, Type::List(item)) => Bound::bind(&mut self.a, item),
            (Pattern::ListB, Type::List(item)) => Bound::bind(&mut self.b, item),
            (Pattern::Map, Type::Map(key, value)) => Bound::bind(&mut self.a, key) && Bound::bind(&mut self.b, value),
            (Pattern::Strings, Type::List(item)) => matches!(**item, Type::String | Type::Dyn),
            (Pattern::Dyn, _) => true,
            (pattern, found) => pattern.name() == found.name(),
        }
    }

    fn result(&self, pattern: Pattern) -> Type {
        let a = || self.a.clone().unwrap_or(Type::Dyn);
        let b = || self.b.clone().unwrap_or(Type::Dyn);
        match pattern {
            Pattern::Bool => Type::Bool,
            Pattern::Int => Type::Int,
            Pattern::Uint => Type::Uint,
            Pattern::Double => Type::Double,
            Pattern::String => Type::String,
            Pattern::Timestamp => Type::Timestamp,
            Pattern::Duration => Type::Duration,
            Pattern::Version => Type::Version,
            Pattern::Ip => Type::Ip,
            Pattern::Cidr => Type::Cidr,
            Pattern::A => a(),
            Pattern::B => b(),
            Pattern::ListA => Type::list(a()),
            Pattern::ListB => Type::list(b()),
            Pattern::Strings => Type::list(Type::String),
            Pattern::Map => Type::Map(Box::new(a()), Box::new(b())),
            Pattern::Number | Pattern::Dyn => Type::Dyn,
        }
    }
}

/// The entries of that name and style that take operands of these types, and the type of their result: any where several
/// take them (an operand's type is not known before evaluation) and differ.
pub(super) fn resolve(name: &str, style: impl Fn(Style) -> bool, operands: &[Type]) -> Option<(Option<Op>, Type)> {
    let mut found: Option<(Option<Op>, Type)> = None;
    for function in FUNCTIONS.iter().filter(|function| function.name == name && style(function.style)) {
        if function.arguments.len() != operands.len() {
            continue;
        }
        let mut bound = Bound::default();
        if !function.arguments.iter().zip(operands).all(|(pattern, operand)| bound.fits(*pattern, operand)) {
            continue;
        }
        let result = bound.result(function.result);
        found = Some(match found {
            Some((op, known)) => (op, if known == result { known } else { Type::Dyn }),
            None => (function.op, result),
        });
    }
    found
}
