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
    /// What is for the site's owner alone.
    Owned(Owned),
    /// Anything else below the base path.
    Unknown,
}

/// An address of the owner's API: it takes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    /// What is published, and publishing.
    Programs,
    /// A version's bytes.
    Program,
    /// Going back to a version.
    Rollback,
    /// Who did what when.
    Audit,
    /// Links for previews.
    Preview,
}

impl Endpoint {
    /// The methods that the address takes, as in an `Allow` header. `HEAD` is what `GET` is, less the body.
    pub fn methods(self) -> &'static str {
        match self {
            Endpoint::Decide | Endpoint::Consent => "GET, HEAD, POST, OPTIONS",
            Endpoint::Owned(Owned::Programs) => "GET, HEAD, POST, DELETE",
            Endpoint::Owned(Owned::Rollback | Owned::Preview) => "POST",
            Endpoint::Owned(_) => "GET, HEAD",
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
        "api/program" => Endpoint::Owned(Owned::Programs),
        "api/rollback" => Endpoint::Owned(Owned::Rollback),
        "api/audit" => Endpoint::Owned(Owned::Audit),
        "api/preview" => Endpoint::Owned(Owned::Preview),
        version if version.starts_with("api/program/") => Endpoint::Owned(Owned::Program),
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
            ("/_idoine/api/program", Some(Endpoint::Owned(Owned::Programs))),
            ("/_idoine/api/program/0123456789abcdef", Some(Endpoint::Owned(Owned::Program))),
            ("/_idoine/api/programs", Some(Endpoint::Unknown)),
            ("/_idoine/api/rollback", Some(Endpoint::Owned(Owned::Rollback))),
            ("/_idoine/api/audit/", Some(Endpoint::Unknown)),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}
