//! `/_idoine/identity`: the host answers (`worker/js/identity.js`); here is what it reads, for the API's description.

/// A token that the site's server signed.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[allow(dead_code)] // It is described and nothing else.
pub struct Login {
    /// A JSON Web Token, HS256: `sub` is the user's id, `exp` at most 24 hours ahead, `aud` the site's id or absent.
    token: String,
}
