//! Purposes, and what a visitor agreed to. docs/consent.md has the rules in words.

use crate::number::parse_int;
use crate::text::{Cut, is_digits};

/// What a consent is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Content chosen by what is known of the visitor.
    Personalization,
    /// Measuring what visitors do.
    Analytics,
    /// Reaching the visitor elsewhere.
    Marketing,
}

impl Purpose {
    /// All purposes, in the order of their codes.
    pub const ALL: [Purpose; 3] = [Purpose::Personalization, Purpose::Analytics, Purpose::Marketing];

    /// The purpose's name in manifests, JSON and cookies.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Personalization => "personalization",
            Purpose::Analytics => "analytics",
            Purpose::Marketing => "marketing",
        }
    }

    /// The purpose of that name.
    pub fn from_name(name: &str) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// The purpose's number in a program.
    pub(crate) fn code(self) -> u32 {
        self as u32
    }

    pub(crate) fn from_code(code: u32) -> Option<Purpose> {
        Purpose::ALL.get(code as usize).copied()
    }
}

/// How a site has its visitors' consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Nothing is agreed to before the visitor says so.
    #[default]
    OptIn,
    /// Everything is agreed to until the visitor refuses it.
    OptOut,
    /// As `OptIn`; without consent experiments still draw a variant for each page by itself, and only sums are counted.
    MeasurementExempt,
}

impl Mode {
    /// All modes, in the order of their codes.
    pub const ALL: [Mode; 3] = [Mode::OptIn, Mode::OptOut, Mode::MeasurementExempt];

    /// The mode's name in manifests and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Mode::OptIn => "opt-in",
            Mode::OptOut => "opt-out",
            Mode::MeasurementExempt => "measurement-exempt",
        }
    }

    /// The mode's number in a program.
    #[cfg(feature = "author")]
    pub(crate) fn code(self) -> u32 {
        self as u32
    }

    pub(crate) fn from_code(code: u32) -> Mode {
        Mode::ALL.get(code as usize).copied().unwrap_or_default()
    }
}

/// On which terms a site asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// How it has consent.
    pub mode: Mode,
    /// The version of the wording. What was agreed to in older words is not agreed to in these.
    pub version: u32,
}

/// What a browser refuses for its person, whatever the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// Global Privacy Control, `Sec-GPC: 1`: no profiling, so neither personalization nor marketing.
    pub gpc: bool,
    /// `DNT: 1`: nothing, where its person chose nothing here.
    pub dnt: bool,
}

/// Purposes that a visitor agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consent(u8);

impl Consent {
    /// All purposes.
    pub const ALL: Consent = Consent(0b111);

    /// What holds for a request: the choice in its cookie on the site's terms, less what its browser refuses.
    pub fn of_request(cookie: Option<&str>, signals: Signals, terms: Terms) -> Consent {
        let choice = cookie.and_then(Choice::read).unwrap_or_default();
        let consent = if choice.is_made(terms) {
            choice.granted
        } else if terms.mode == Mode::OptOut && !(signals.dnt && choice.by == By::Default) {
            Consent::ALL.without(choice.denied)
        } else {
            Consent::default()
        };
        if signals.gpc { consent.without(Consent::PROFILING) } else { consent }
    }

    /// What Global Privacy Control refuses.
    const PROFILING: Consent = Consent((1 << Purpose::Personalization as u8) | (1 << Purpose::Marketing as u8));

    /// A bit for each purpose, in the order of [`Purpose::ALL`], the lowest first.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// These purposes less others.
    pub fn without(self, other: Consent) -> Consent {
        Consent(self.0 & !other.0)
    }

    /// These purposes with one of them or without it.
    pub fn with(self, purpose: Purpose, granted: bool) -> Consent {
        let bit = 1 << purpose.code();
        Consent(if granted { self.0 | bit } else { self.0 & !bit })
    }

    /// Whether the purpose is one of them.
    pub fn has(self, purpose: Purpose) -> bool {
        self.0 & (1 << purpose.code()) != 0
    }

    /// The purposes, in their order.
    pub fn granted(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.has(*purpose))
    }
}

/// Whether a site may measure a visitor's pages without their consent: it says so, each page by itself and sums alone, and neither they nor
/// their browser refuse it. CNIL's guidelines on cookies of measuring (2020, section 5).
pub fn may_measure(choice: Option<Choice>, signals: Signals, terms: Terms) -> bool {
    let choice = choice.unwrap_or_default();
    let refuses = choice.denied.has(Purpose::Analytics) || (signals.dnt && choice.by == By::Default);
    terms.mode == Mode::MeasurementExempt && !refuses
}

/// Who made a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// Nobody: what a site that has consent until it is refused notes by itself.
    #[default]
    Default,
    /// The visitor, asked by the site.
    Visitor,
    /// The visitor, asked by a consent platform that the site uses.
    Platform,
}

/// What a visitor said of all purposes at one time, as the cookie `idoine_consent` holds it.
///
/// `v2`, then after a dot each: the granted purposes; with `-` those that were refused and with `~` those that were withdrawn; the version
/// of the wording; the second since 1970; `v`, `p` or `d` for who chose. Where a platform did, `!` stands before what the visitor had refused
/// the site itself. `v1` and the granted purposes is what was written before: all others were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// What was agreed to.
    pub granted: Consent,
    /// What was refused, or agreed to and withdrawn.
    pub denied: Consent,
    /// Of these what was withdrawn.
    pub withdrawn: Consent,
    /// Of what is denied what the visitor refused the site itself, so that no platform grants it.
    pub own: Consent,
    /// The version of the wording that the visitor saw.
    pub version: u32,
    /// When, in seconds since 1970; 0 where that is not known.
    pub at: i64,
    /// Who chose.
    pub by: By,
}

impl Choice {
    /// Reads a cookie's value. `None` when it is not one of ours, which is as if no choice was made.
    pub fn read(value: &str) -> Option<Choice> {
        let mut parts = value.parts(b'.');
        let mut choice = Choice { version: 1, by: By::Visitor, ..Choice::default() };
        let is_old = match parts.next()? {
            "v1" => true,
            "v2" => false,
            _ => return None,
        };
        let mut numbers = 0;
        for part in parts {
            let said = part.strip_prefix('!').unwrap_or(part);
            let (denied, withdrawn) = (said.strip_prefix('-'), said.strip_prefix('~'));
            let name = denied.or(withdrawn).unwrap_or(part);
            match (Purpose::from_name(name), numbers) {
                (Some(purpose), 0) if name == part => choice.granted = choice.granted.with(purpose, true),
                (Some(purpose), 0) if !is_old => {
                    choice.denied = choice.denied.with(purpose, true);
                    choice.withdrawn = choice.withdrawn.with(purpose, withdrawn.is_some());
                    choice.own = choice.own.with(purpose, said != part);
                }
                (None, 0) if !is_old => choice.version = u32::try_from(digits(part)?).ok()?,
                (None, 1) => choice.at = digits(part)?,
                (None, 2) => choice.by = By::read(part)?,
                _ => return None,
            }
            numbers += u32::from(Purpose::from_name(name).is_none());
        }
        if is_old {
            choice.denied = Consent::ALL.without(choice.granted);
        }
        // Who agrees and refuses at once refuses.
        choice.granted = choice.granted.without(choice.denied);
        choice.own = match choice.by {
            By::Visitor => choice.denied,
            By::Platform => choice.own,
            By::Default => Consent::default(),
        };
        (is_old || numbers == 3).then_some(choice)
    }
}

impl Choice {
    /// Whether it answers what the site asks on these terms: it is the visitor's own, and of no older wording.
    pub fn is_made(&self, terms: Terms) -> bool {
        self.by != By::Default && self.version >= terms.version
    }

    /// What the cookie holds.
    pub fn value(&self) -> String {
        let mut value = String::from("v2");
        let is_marked = |purpose| self.by == By::Platform && self.own.has(purpose);
        let mut put = |sign: &str, purposes: Consent| {
            for purpose in purposes.granted() {
                value.push('.');
                if is_marked(purpose) {
                    value.push('!');
                }
                value.push_str(sign);
                value.push_str(purpose.name());
            }
        };
        put("", self.granted);
        put("-", self.denied.without(self.withdrawn));
        put("~", self.withdrawn);
        let by = match self.by {
            By::Visitor => 'v',
            By::Platform => 'p',
            By::Default => 'd',
        };
        value + &format!(".{}.{}.{by}", self.version, self.at)
    }

    /// The choice that is kept when a visitor, who chose `before` last, says something new (`said`: what they agree to, the version of the
    /// wording, when and by whom). All that they don't agree to they refuse; they withdraw it where they had agreed to it. What a browser refuses
    /// for its person is not kept as agreed to. A platform takes nothing back that the visitor refused the site itself; what only a platform
    /// refused, it may grant later.
    pub fn after(before: Option<Choice>, said: Choice, signals: Signals) -> Choice {
        let before = before.filter(|before| before.by != By::Default).unwrap_or_default();
        let refused_here = if said.by == By::Platform { before.own } else { Consent::default() };
        let refused_by_browser = if signals.gpc { Consent::PROFILING } else { Consent::default() };
        let granted = said.granted.without(refused_here).without(refused_by_browser);
        let denied = Consent::ALL.without(granted);
        let withdrawn = Consent((before.granted.0 | before.withdrawn.0) & denied.0);
        let own = if said.by == By::Platform { refused_here } else { denied };
        Choice { granted, denied, withdrawn, own, ..said }
    }
}

/// A number of at most 15 digits, which is as many as JavaScript knows them all.
fn digits(text: &str) -> Option<i64> {
    parse_int(text).filter(|_| is_digits(text) && text.len() <= 15)
}

impl By {
    fn read(letter: &str) -> Option<By> {
        match letter {
            "v" => Some(By::Visitor),
            "p" => Some(By::Platform),
            "d" => Some(By::Default),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_survives_its_cookie() {
        for value in [
            "v2.1.0.v",
            "v2.personalization.-marketing.~analytics.3.1763900000.p",
            "v2.-personalization.-analytics.-marketing.4294967295.1.d",
            "v2.personalization.!-marketing.!~analytics.3.1763900000.p",
        ] {
            assert_eq!(Choice::read(value).unwrap().value(), value);
        }
        let old = Choice::read("v1.personalization.marketing").unwrap();
        assert_eq!(old.value(), "v2.personalization.marketing.-analytics.1.0.v");
    }
}
