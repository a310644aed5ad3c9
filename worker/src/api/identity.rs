//! `/_idoine/identity` and `/_idoine/erase`: the host answers (`worker/js/identity.js`, `worker/js/erasing.js`; `worker/js/asked.js` reads what is
//! asked); here is what they read and answer, for the API's description.

/// A token that the site's server signed.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)] // It is described and nothing else.
pub struct Login {
    /// A JSON Web Token, HS256: `sub` is the user's id, `exp` at most 24 hours ahead, `aud` the site's id or absent.
    token: String,
}

/// Who asks that what is theirs is erased, and what of it.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)] // It is described and nothing else.
pub struct EraseAsked {
    /// An identity token, made anew: needed where a user is logged in, whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The id that the page's events say, where a page of static files keeps it: a secret of its browser. A signed id in the cookies counts before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    anonymous_id: Option<String>,
    /// The purposes that the visitor takes back (`personalization`, `analytics`, `marketing`), where the page keeps their choice itself: what was
    /// kept for these goes. Without it all goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    purposes: Option<Vec<String>>,
}

/// That an erasure has begun. It goes on until nothing is left, whatever fails meanwhile.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[allow(dead_code)] // It is described and nothing else.
pub struct Erased {
    /// A random id, by which it can be proven later that there was an erasure. It says nothing of whom it was. Null where the browser has no id, or all was erased within the last hour: nothing is stored of its visitor.
    receipt: Option<String>,
    /// True.
    erased: bool,
}
