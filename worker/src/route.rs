//! What an address of Idoine's own is: who may call it and by which methods; and which one a path is. All of them are in `routes.rs`.

#[cfg(any(test, feature = "openapi"))]
use crate::openapi::Described;
use crate::routes::{Endpoint, ROUTES};

/// Everything of Idoine's own is below this path.
pub const BASE: &str = "/_idoine/";

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Anyone,
    /// Who may preview. For all others there is nothing at the address.
    Preview,
    /// Everyone as the visitor that they are; who has a token, for a visitor of theirs. The endpoint looks at the token itself.
    VisitorOrRead,
    /// Who has a token.
    Read,
    /// Who has a token, for the site's owner: no page of another site, and what is refused is in the audit trail.
    OwnerRead,
    /// The same with a token of the role `publish`.
    OwnerPublish,
}

/// A method of an address.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `GET`, `POST` ...
    pub method: &'static str,
    /// Who may call.
    pub access: Access,
    /// What it reads and answers.
    #[cfg(any(test, feature = "openapi"))]
    pub described: Described,
}

/// An address of the API.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its path below [`BASE`].
    pub path: &'static str,
    /// What it is.
    pub endpoint: Endpoint,
    /// Its methods.
    pub operations: &'static [Operation],
}

impl Route {
    /// Whether pages may ask, rather than servers alone.
    pub fn is_for_pages(&self) -> bool {
        self.operations
            .iter()
            .any(|operation| !matches!(operation.access, Access::Read | Access::OwnerRead | Access::OwnerPublish))
    }

    /// The methods that the address takes, as in an `Allow` header. `HEAD` is what `GET` is, less the body.
    pub fn methods(&self) -> String {
        let mut methods = Vec::new();
        for operation in self.operations {
            methods.push(operation.method);
            if operation.method == "GET" {
                methods.push("HEAD");
            }
        }
        // No page of another site is to ask for what is the owner's.
        if self.is_for_pages() {
            methods.push("OPTIONS");
        }
        methods.join(", ")
    }

    /// Whether it is for the site's owner alone.
    pub fn is_owners(&self) -> bool {
        self.operations.iter().any(|operation| matches!(operation.access, Access::OwnerRead | Access::OwnerPublish))
    }

    /// What it does by a method.
    pub fn operation(&self, method: &str) -> Option<&'static Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.operations.iter().find(|operation| operation.method == method)
    }
}

/// A path below [`BASE`].
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The address; `None` when there is nothing at this path.
    pub route: Option<&'static Route>,
    /// What stands in the path from the first name in braces on, as it came.
    pub key: &'a str,
}

/// What stands in a path from the first name in braces of its template on; `None` for a path of another template. The last name in
/// braces, at the end, stands for the rest of the path, another one for one part of it.
fn key_of<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let Some((before, rest)) = template.split_once('{') else { return (path == template).then_some("") };
    let key = path.strip_prefix(before)?;
    let (mut rest, mut left) = (rest, key);
    loop {
        let (_, behind) = rest.split_once('}')?;
        if behind.is_empty() {
            return (!left.is_empty()).then_some(key);
        }
        let (fixed, next) = behind.split_once('{').unwrap_or((behind, ""));
        let (part, more) = left.split_at(left.find('/').unwrap_or(left.len()));
        left = more.strip_prefix(fixed).filter(|_| !part.is_empty())?;
        if next.is_empty() {
            return left.is_empty().then_some(key);
        }
        rest = next;
    }
}

/// What is at a path; `None` for a path of the site.
pub fn route(path: &str) -> Option<Found<'_>> {
    let path = path.strip_prefix(BASE)?;
    let found = ROUTES.iter().find_map(|route| Some((route, key_of(route.path, path)?)));
    Some(found.map_or(Found { route: None, key: "" }, |(route, key)| Found { route: Some(route), key }))
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
            ("/_idoine/", Some((None, ""))),
            ("/_idoine/decide", Some((Some(Endpoint::Decide), ""))),
            ("/_idoine/decide/", Some((None, ""))),
            ("/_idoine/program", Some((Some(Endpoint::Program), ""))),
            ("/_idoine/api/decide", Some((Some(Endpoint::Batch), ""))),
            ("/_idoine/v1/batch", Some((Some(Endpoint::SegmentBatch), ""))),
            ("/_idoine/v1/t", Some((Some(Endpoint::SegmentCall), "t"))),
            ("/_idoine/v1/projects/a/settings", Some((Some(Endpoint::SegmentSettings), "a/settings"))),
            ("/_idoine/v1/projects//settings", Some((Some(Endpoint::SegmentCall), "projects//settings"))),
            ("/_idoine/api/s/track", Some((Some(Endpoint::JitsuCall), "track"))),
            ("/_idoine/ofrep/v1/evaluate/flags", Some((Some(Endpoint::Flags), ""))),
            ("/_idoine/ofrep/v1/evaluate/flags/", Some((None, ""))),
            ("/_idoine/ofrep/v1/evaluate/flags/hero", Some((Some(Endpoint::Flag), "hero"))),
            ("/_idoine/ofrep/v1/evaluate/flags/a%20b/c", Some((Some(Endpoint::Flag), "a%20b/c"))),
            ("/_idoine/api/profile/u%3A1", Some((Some(Endpoint::Facts), "u%3A1"))),
            ("/_idoine/api/profile/u%3A1/notes", Some((Some(Endpoint::Notes), "u%3A1/notes"))),
            ("/_idoine/api/profile/u%3A1/notes/n1", Some((Some(Endpoint::Note), "u%3A1/notes/n1"))),
            ("/_idoine/api/profile/u%3A1/tags/a/b", Some((Some(Endpoint::Tag), "u%3A1/tags/a/b"))),
            ("/_idoine/api/profiles/u%3A1/export", Some((Some(Endpoint::ProfileExport), "u%3A1/export"))),
            ("/_idoine/api/receipts/r1", Some((Some(Endpoint::Receipt), "r1"))),
            ("/_idoine/api/profiles/u%3A1/accesses", Some((Some(Endpoint::Accesses), "u%3A1/accesses"))),
            ("/_idoine/api/profile//notes", Some((Some(Endpoint::Facts), "/notes"))),
            ("/_idoine/api/profile/", Some((None, ""))),
            ("/_idoine/api/audiences", Some((Some(Endpoint::Audiences), ""))),
            ("/_idoine/api/audiences/vip", Some((Some(Endpoint::Members), "vip"))),
        ] {
            let found = route(path).map(|found| (found.route.map(|route| route.endpoint), found.key));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn an_address_says_its_methods() {
        let methods = |path| route(path).and_then(|found| found.route).map(Route::methods);
        assert_eq!(methods("/_idoine/consent").as_deref(), Some("GET, HEAD, POST, OPTIONS"));
        assert_eq!(methods("/_idoine/api/decide").as_deref(), Some("POST"));
        assert_eq!(methods("/_idoine/ofrep/v1/evaluate/flags/hero").as_deref(), Some("POST, OPTIONS"));
        let consent = route("/_idoine/consent").and_then(|found| found.route).unwrap();
        assert_eq!(consent.operation("HEAD").map(|operation| operation.method), Some("GET"));
        assert!(consent.operation("DELETE").is_none());
    }
}
