//! What Idoine's script in the page does by itself.

#[cfg(feature = "schema")]
use super::read::object_schema;
use super::read::{Read, Reader, Share, Spanned, choice, object};

/// Declares the kinds of capture: what they are called in the manifest and in the loader's element, and what each tells.
macro_rules! kinds {
    ($($variant:ident $word:literal: $doc:literal;)*) => {
        choice! { "What visitors do that the script in the page tells by itself." Capture { $($variant $word: $doc;)* } }

        impl Capture {
            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Capture::$variant => $word),* }
            }
        }
    };
}

kinds! {
    Pages "pages": "Page views, those within single-page applications too.";
    VisibleTime "visible_time": "For how long a page was in view.";
    Scroll "scroll": "How far a page was scrolled.";
    Clicks "clicks": "Clicks on elements that are marked with data-idoine-click.";
    Forms "forms": "Forms that are begun, sent and left; never what is written into them.";
    Search "search": "What is searched for on the site.";
    Filters "filters": "Filters and orders of lists of products.";
    Video "video": "How far videos are watched.";
    Outbound "outbound": "Links to other sites that are followed.";
    Downloads "downloads": "Files that are downloaded.";
    Copy "copy": "That something was copied; never what.";
    Ecommerce "ecommerce": "Products and carts, as the page's own markup says them.";
    DataLayer "data_layer": "What the page pushes to the dataLayer of Google Tag Manager.";
    WebVitals "web_vitals": "How fast and how steady pages are for visitors.";
    RageClicks "rage_clicks": "Many clicks on one place in a short time.";
    Errors "errors": "Errors of JavaScript that visitors meet.";
}

object! { "When a slot counts as seen." Exposure {
    optional visible "visible": Spanned<Share> = "The share of it that is in view (default 0.5).";
    optional after "after_ms": Spanned<i32> = "For how long, in milliseconds (default 1000).";
} }
