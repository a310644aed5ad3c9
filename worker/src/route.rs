//! Which of Idoine's own addresses a path is.

/// Everything of Idoine's own is below this path.
const BASE: &str = "/_idoine/";

/// An address of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// What is known of the visitor.
    Context,
    /// What the visitor gets to see.
    Decide,
    /// What the visitor agreed to.
    Consent,
    /// The program, for previews.
    Program,
    /// The saved visitors, for previews.
    Personas,
    /// What the host's own answer about health needs.
    Health,
    /// Anything else below the base path.
    Unknown,
}

impl Endpoint {
    /// The methods that the address takes, as in an `Allow` header. `HEAD` is what `GET` is, less the body.
    pub fn methods(self) -> &'static str {
        match self {
            Endpoint::Decide | Endpoint::Consent => "GET, HEAD, POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

/// The endpoint of a path; `None` for a path of the site.
pub fn route(path: &str) -> Option<Endpoint> {
    Some(match path.strip_prefix(BASE)? {
        "context" => Endpoint::Context,
        "decide" => Endpoint::Decide,
        "consent" => Endpoint::Consent,
        "program" => Endpoint::Program,
        "personas" => Endpoint::Personas,
        "health" => Endpoint::Health,
        _ => Endpoint::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_base_path_is_ours() {
        for (path, expected) in [
            ("/", None),
            ("/_idoine", None),
            ("/a/_idoine/decide", None),
            ("//_idoine/decide", None),
            ("/_idoine/", Some(Endpoint::Unknown)),
            ("/_idoine/decide", Some(Endpoint::Decide)),
            ("/_idoine/decide/", Some(Endpoint::Unknown)),
            ("/_idoine/program", Some(Endpoint::Program)),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}
