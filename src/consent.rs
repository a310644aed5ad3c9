//! Purposes and what a visitor agreed to.

use crate::text::Cut;

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

/// The purposes a visitor agreed to. Opt-in: the default is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consent(u8);

impl Consent {
    /// The cookie's value that stands for this choice: `v1`, then each granted purpose after a dot.
    pub fn cookie_value(self) -> String {
        let mut value = String::from("v1");
        for purpose in self.granted() {
            value.push('.');
            value.push_str(purpose.name());
        }
        value
    }

    /// Reads a cookie's value. `None` when it is not one of ours, which is as if no choice was made.
    pub fn from_cookie_value(value: &str) -> Option<Consent> {
        let mut parts = value.parts(b'.');
        if parts.next() != Some("v1") {
            return None;
        }
        parts.try_fold(Consent::default(), |consent, name| Some(consent.with(Purpose::from_name(name)?, true)))
    }

    /// What holds for a request: the cookie's choice, less what the browser refuses for its person. `Sec-GPC: 1` (Global
    /// Privacy Control) refuses profiling: personalization and marketing.
    pub fn of_request(cookie: Option<&str>, gpc: bool) -> Consent {
        let consent = cookie.and_then(Consent::from_cookie_value).unwrap_or_default();
        if gpc { consent.with(Purpose::Personalization, false).with(Purpose::Marketing, false) } else { consent }
    }

    /// This choice with one purpose granted or refused.
    pub fn with(self, purpose: Purpose, granted: bool) -> Consent {
        let bit = 1 << purpose.code();
        Consent(if granted { self.0 | bit } else { self.0 & !bit })
    }

    /// Whether the purpose is granted.
    pub fn has(self, purpose: Purpose) -> bool {
        self.0 & (1 << purpose.code()) != 0
    }

    /// The granted purposes.
    pub fn granted(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.has(*purpose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_survives_its_cookie() {
        let consent = Consent::default().with(Purpose::Personalization, true).with(Purpose::Marketing, true);
        assert_eq!(consent.cookie_value(), "v1.personalization.marketing");
        assert_eq!(Consent::from_cookie_value(&consent.cookie_value()), Some(consent));
        assert_eq!(Consent::from_cookie_value("v1"), Some(Consent::default()));
    }

    #[test]
    fn garbage_is_no_choice() {
        for bad in ["", "v2", "yes", "v1.everything", "v1.", "V1"] {
            assert_eq!(Consent::from_cookie_value(bad), None, "{bad}");
        }
    }

    #[test]
    fn global_privacy_control_outranks_the_cookie() {
        let consent = Consent::of_request(Some("v1.personalization.analytics.marketing"), true);
        assert_eq!(consent.granted().collect::<Vec<_>>(), [Purpose::Analytics]);
    }
}
