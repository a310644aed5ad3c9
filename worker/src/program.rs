//! The programs of the sites, kept by the isolate.
//!
//! A page waits for it once, when the isolate has never tried to load it, and then for [`PATIENCE`] at most. From then on
//! requests look again in the background, [`RELOAD_SECONDS`] after the last look; whatever goes wrong there, the last good
//! program stays. Requests share plain values only: a future that one request starts and another awaits would belong to
//! the first and end with it.

use crate::host;
use crate::visit::Visit;
use idoine::Program;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// How long the first requests of an isolate wait for the program.
const PATIENCE: Duration = Duration::from_millis(1000);

/// After how many seconds a request looks for a new version, unless the variable `IDOINE_RELOAD_SECONDS` says otherwise.
const RELOAD_SECONDS: i64 = 10;

/// The binding of the store.
const STORE: &str = "PROGRAMS";

#[derive(Default)]
struct Shelf {
    program: Option<Rc<Program>>,
    /// When a request last set out to look.
    looked: Option<i64>,
    /// How many have set out, and which of them brought the latest news.
    looks: u64,
    latest: u64,
    /// Whether the first look is over, well or not.
    settled: bool,
    /// What went wrong last, so that it is logged once.
    trouble: Option<String>,
}

thread_local! {
    /// By the site's id, which is configured: there are few.
    static SHELVES: RefCell<BTreeMap<String, Shelf>> = RefCell::default();
}

/// Reads or changes a site's shelf. Never across an `await`, so that nobody else has hold of it.
fn shelf<T: Default>(site: &str, with: impl FnOnce(&mut Shelf) -> T) -> T {
    SHELVES.with(|shelves| {
        let Ok(mut shelves) = shelves.try_borrow_mut() else { return T::default() };
        if let Some(shelf) = shelves.get_mut(site) {
            return with(shelf);
        }
        with(shelves.entry(site.to_owned()).or_default())
    })
}

/// The program to decide with; `None` when there is none, which is as if nothing concerned any page.
pub async fn current(visit: &Visit) -> Option<Rc<Program>> {
    let now = host::now();
    let reload = host::var(&visit.env, "IDOINE_RELOAD_SECONDS").and_then(|text| text.parse().ok());
    let pause = reload.unwrap_or(RELOAD_SECONDS).saturating_mul(1000);
    let site = visit.site.as_str();
    let (settled, due) = shelf(site, |shelf| {
        // A clock that went back must not stop the looking.
        let due = shelf.looked.is_none_or(|looked| !(0..pause).contains(&(now - looked)));
        if due {
            shelf.looked = Some(now);
        }
        (shelf.settled, due)
    });
    if !settled {
        let looking = Box::pin(look(visit.env.clone(), site.to_owned()));
        if let Some(rest) = within(PATIENCE, looking).await {
            visit.ctx.wait_until(rest);
        }
        shelf(site, |shelf| shelf.settled = true);
    } else if due {
        visit.ctx.wait_until(look(visit.env.clone(), site.to_owned()));
    }
    shelf(site, |shelf| shelf.program.clone())
}

/// The bytes of another version than the current one; `None` when the store does not have it.
pub async fn bytes_of(visit: &Visit, version: &str) -> Option<Vec<u8>> {
    let bytes = read_bytes(&visit.env, version).await.ok()??;
    Program::load(bytes).ok().map(|program| program.bytes().to_vec())
}

/// Whether a text is a version: 16 lower-case hex digits.
pub fn is_version(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Waits for a future no longer than `patience`; gives it back when it is not done by then.
async fn within<F: Future<Output = ()> + Unpin>(patience: Duration, mut future: F) -> Option<F> {
    let mut timeout = Box::pin(worker::Delay::from(patience));
    let done = std::future::poll_fn(|cx| {
        if std::pin::Pin::new(&mut future).poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        timeout.as_mut().poll(cx).map(|()| false)
    })
    .await;
    (!done).then_some(future)
}

/// Looks for a new version and takes it over if it is a good one.
async fn look(env: worker::Env, site: String) {
    let number = shelf(&site, |shelf| {
        shelf.looks += 1;
        shelf.looks
    });
    let found = newer(&env, &site).await;
    shelf(&site, |shelf| {
        // One that set out before another and comes back after it has seen an older state of things.
        if number < shelf.latest {
            return;
        }
        shelf.latest = number;
        let trouble = match found {
            Ok(None) => None,
            Ok(Some(program)) => {
                host::log("info", "program_taken", &format!("program {} of site {site}", program.version()), &site);
                shelf.program = Some(Rc::new(program));
                None
            }
            Err(trouble) => Some(trouble),
        };
        if let Some(trouble) = trouble.as_ref().filter(|trouble| shelf.trouble.as_ref() != Some(*trouble)) {
            let rest =
                if shelf.program.is_some() { "the last good program stays" } else { "pages go out as the origin sends them" };
            host::log("error", "program_trouble", &format!("{trouble}; {rest}"), &site);
        }
        shelf.trouble = trouble;
    });
}

/// The program that the pointer names, unless it is the current one already.
async fn newer(env: &worker::Env, site: &str) -> Result<Option<Program>, String> {
    let store = env.kv(STORE).map_err(|error| format!("the KV binding {STORE} is missing: {error}"))?;
    let pointer =
        store.get(&format!("site:{site}")).text().await.map_err(|error| format!("the program store fails: {error}"))?;
    let version = pointer.ok_or_else(|| format!("nothing is published for site {site}"))?;
    let version = version.trim();
    if !is_version(version) {
        return Err(format!("the pointer of site {site} is not a version"));
    }
    if shelf(site, |shelf| shelf.program.as_ref().is_some_and(|program| program.version() == version)) {
        return Ok(None);
    }
    let bytes = read_bytes(env, version).await?.ok_or_else(|| format!("program {version} is not in the store"))?;
    let program = Program::load(bytes).map_err(|error| format!("program {version}: {error}"))?;
    if program.version() != version {
        return Err(format!("what is stored as program {version} is program {}", program.version()));
    }
    Ok(Some(program))
}

async fn read_bytes(env: &worker::Env, version: &str) -> Result<Option<Vec<u8>>, String> {
    let store = env.kv(STORE).map_err(|error| error.to_string())?;
    store.get(&format!("program:{version}")).bytes().await.map_err(|error| format!("the program store fails: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_sixteen_hex_digits() {
        assert!(is_version("0123456789abcdef"));
        for bad in ["", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef0", "../../site:shop00"] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
