//! The programs of the sites, kept by the isolate.
//!
//! A page waits for it once, when the isolate has never tried to load it, and then for [`PATIENCE`] at most. From then on
//! requests look again in the background, [`RELOAD_SECONDS`] after the last look; whatever goes wrong there, the last good
//! program stays. An isolate that slept for more than [`SLEEP`] would go on with what was live then: its first pages wait for
//! the look, [`SHORT_PATIENCE`] at most.
//!
//! What is scheduled is loaded ahead, so that at its instant the clock alone makes it live. Requests share plain values only: a
//! future that one request starts and another awaits would belong to the first and end with it.

use crate::pointer::Pointer;
use crate::visit::Visit;
use crate::{host, store};
use idoine::Program;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

pub use crate::pointer::is_version;

/// How long the first requests of an isolate wait for the program.
const PATIENCE: Duration = Duration::from_millis(1000);

/// How long those wait that find an isolate asleep.
const SHORT_PATIENCE: Duration = Duration::from_millis(50);

/// Milliseconds without a look after which an isolate has slept.
const SLEEP: i64 = 60_000;

/// So many milliseconds before its time a scheduled version is loaded.
const AHEAD: i64 = 60_000;

/// The most versions that are loaded ahead: they take memory beside the live one.
const MOST_AHEAD: usize = 2;

/// After how many seconds a request looks for a new version, unless the variable `IDOINE_RELOAD_SECONDS` says otherwise.
const RELOAD_SECONDS: i64 = 10;

#[derive(Default)]
struct Shelf {
    /// The program that decides: the live one, or the last good one.
    program: Option<Rc<Program>>,
    /// Those that are going to be live soon.
    ahead: Vec<Rc<Program>>,
    /// What the store said last.
    pointer: Pointer,
    /// When a request last set out to look.
    looked: Option<i64>,
    /// When the isolate was last known to be awake: a look set out in the background, or one that was waited for was over.
    awake: i64,
    /// Whether some request is waiting for a look after a sleep.
    waking: bool,
    /// How many have set out, and which of them brought the latest news.
    looks: u64,
    latest: u64,
    /// Whether the first look is over, well or not.
    settled: bool,
    /// What went wrong last, so that it is logged once.
    trouble: Option<String>,
    /// The same of lines of the pointer.
    bad_lines: Vec<usize>,
}

/// What a request does about the program.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Takes what there is.
    #[default]
    Go,
    /// Looks in the background.
    Look,
    /// Looks, and waits so long.
    Wait(Duration),
}

impl Shelf {
    /// What a request does that comes now, where looks are `pause` milliseconds apart.
    fn step(&mut self, now: i64, pause: i64) -> Step {
        // What is about to be live is not waited for as long as what nobody knows of.
        let pause = if self.is_wanting(now) { pause.min(RELOAD_SECONDS * 1000) } else { pause };
        // A clock that went back must not stop the looking.
        let due = self.looked.is_none_or(|looked| !(0..pause).contains(&(now - looked)));
        if due {
            self.looked = Some(now);
        }
        if !self.settled {
            return Step::Wait(PATIENCE);
        }
        let slept = !(0..=SLEEP).contains(&(now - self.awake));
        if slept && (due || self.waking) {
            self.waking = true;
            return Step::Wait(SHORT_PATIENCE);
        }
        if due {
            self.awake = now;
            return Step::Look;
        }
        Step::Go
    }

    /// A look that was waited for is over, or took too long.
    fn waited(&mut self, now: i64) {
        (self.settled, self.waking, self.awake) = (true, false, now);
    }

    /// The program to decide with at an instant.
    fn at(&mut self, now: i64, site: &str) -> Option<Rc<Program>> {
        if self.pointer.has_schedule()
            && let Some(live) = self.pointer.live(now)
            && let Some(due) = self.ahead.iter().find(|program| program.version() == live).cloned()
            && !is(self.program.as_ref(), live)
        {
            self.take(due, site);
        }
        self.program.clone()
    }

    fn take(&mut self, program: Rc<Program>, site: &str) {
        host::log("info", "program_taken", &format!("program {} of site {site}", program.version()), site);
        self.program = Some(program);
    }

    /// Whether a version should be here and is not.
    fn is_wanting(&self, now: i64) -> bool {
        self.pointer.has_schedule()
            && (self.pointer.live(now).is_some_and(|version| !self.has(version))
                || soon(&self.pointer, now).any(|version| !self.has(version)))
    }

    fn has(&self, version: &str) -> bool {
        self.program.iter().chain(&self.ahead).any(|program| program.version() == version)
    }
}

/// Whether a program is that version.
fn is(program: Option<&Rc<Program>>, version: &str) -> bool {
    program.is_some_and(|program| program.version() == version)
}

/// The versions to load ahead.
fn soon(pointer: &Pointer, now: i64) -> impl Iterator<Item = &str> {
    let near = pointer.upcoming(now).take_while(move |(at, _)| *at <= now.saturating_add(AHEAD));
    near.map(|(_, version)| version).take(MOST_AHEAD)
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
    live(&visit.env, &visit.ctx, &visit.site).await
}

/// The same of a site, for who has no visit.
pub async fn live(env: &worker::Env, ctx: &worker::Context, site: &str) -> Option<Rc<Program>> {
    let reload = host::var(env, "IDOINE_RELOAD_SECONDS").and_then(|text| text.parse().ok());
    let pause = reload.unwrap_or(RELOAD_SECONDS).saturating_mul(1000);
    match shelf(site, |shelf| shelf.step(host::now(), pause)) {
        Step::Go => {}
        Step::Look => ctx.wait_until(look(env.clone(), site.to_owned())),
        Step::Wait(patience) => {
            let looking = Box::pin(look(env.clone(), site.to_owned()));
            if let Some(rest) = within(patience, looking).await {
                ctx.wait_until(rest);
            }
            shelf(site, |shelf| shelf.waited(host::now()));
        }
    }
    shelf(site, |shelf| shelf.at(host::now(), site))
}

/// What `live` found last, where it does not have to be waited for.
pub fn at_hand(site: &str) -> Option<Rc<Program>> {
    shelf(site, |shelf| shelf.program.clone())
}

/// Lets the next request of this isolate look: something has been published through it.
pub fn look_soon(site: &str) {
    shelf(site, |shelf| shelf.looked = None);
}

/// Another version of the site than the current one; `None` when the store does not have it.
pub async fn other(visit: &Visit, version: &str) -> Option<Program> {
    store::program(&visit.env, version).await.ok()?.filter(|program| program.site_id() == visit.site)
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

/// What a look found.
struct Found {
    pointer: Pointer,
    bad_lines: Vec<usize>,
    /// What is live, and what is soon, as far as it was not here already.
    programs: Vec<Rc<Program>>,
    /// What went wrong on the way.
    trouble: Option<String>,
}

/// Looks for new versions and takes those over that are good ones.
async fn look(env: worker::Env, site: String) {
    let number = shelf(&site, |shelf| {
        shelf.looks += 1;
        shelf.looks
    });
    let found = find(&env, &site).await;
    shelf(&site, |shelf| {
        // One that set out before another and comes back after it has seen an older state of things.
        if number < shelf.latest {
            return;
        }
        shelf.latest = number;
        let trouble = match found {
            Ok(found) => taken(shelf, found, &site),
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

/// Puts what was found on the shelf; what went wrong on the way.
fn taken(shelf: &mut Shelf, found: Found, site: &str) -> Option<String> {
    let now = host::now();
    if found.bad_lines != shelf.bad_lines {
        for line in &found.bad_lines {
            let message = format!("line {line} of the pointer of site {site} is not a version, nor an instant and one");
            host::log("error", "pointer_line", &message, site);
        }
        shelf.bad_lines = found.bad_lines;
    }
    let mut ahead = std::mem::take(&mut shelf.ahead);
    ahead.extend(found.programs);
    if let Some(live) = found.pointer.live(now)
        && !is(shelf.program.as_ref(), live)
        && let Some(program) = ahead.iter().find(|program| program.version() == live)
    {
        shelf.take(Rc::clone(program), site);
    }
    ahead.retain(|program| soon(&found.pointer, now).any(|version| program.version() == version));
    shelf.ahead = ahead;
    shelf.pointer = found.pointer;
    found.trouble
}

/// The versions that should be here.
async fn find(env: &worker::Env, site: &str) -> Result<Found, String> {
    let now = host::now();
    let (pointer, bad_lines) = store::pointer(env, site).await?;
    let wanted: Vec<&str> = pointer.live(now).into_iter().chain(soon(&pointer, now)).collect();
    let wanted = shelf(site, |shelf| wanted.into_iter().filter(|version| !shelf.has(version)).collect::<Vec<_>>());
    let (mut programs, mut trouble) = (Vec::new(), None);
    for version in wanted {
        match store::program(env, version).await {
            Ok(Some(program)) if program.site_id() == site => programs.push(Rc::new(program)),
            Ok(Some(program)) => {
                trouble =
                    trouble.or_else(|| Some(format!("program {version} is of site {}, not of {site}", program.site_id())));
            }
            Ok(None) => trouble = trouble.or_else(|| Some(format!("program {version} is not in the store"))),
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    Ok(Found { pointer, bad_lines, programs, trouble })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isolate_that_slept_makes_its_first_pages_wait() {
        let pause = RELOAD_SECONDS * 1000;
        let mut shelf = Shelf::default();
        assert_eq!(shelf.step(0, pause), Step::Wait(PATIENCE));
        assert_eq!(shelf.step(5, pause), Step::Wait(PATIENCE), "the first look is not over");
        shelf.waited(10);
        assert_eq!(shelf.step(20, pause), Step::Go);
        assert_eq!(shelf.step(pause, pause), Step::Look);
        assert_eq!(shelf.step(pause + 1, pause), Step::Go);
        // Steady traffic never waits, whatever becomes of the looks.
        for turn in 2..20 {
            assert_eq!(shelf.step(turn * pause, pause), Step::Look);
        }
        let later = 19 * pause + SLEEP + 1;
        assert_eq!(shelf.step(later, pause), Step::Wait(SHORT_PATIENCE));
        assert_eq!(shelf.step(later + 1, pause), Step::Wait(SHORT_PATIENCE), "others do not overtake it");
        shelf.waited(later + 50);
        assert_eq!(shelf.step(later + 51, pause), Step::Go);
        // A clock that went back, far and a little.
        assert_eq!(shelf.step(later - 1000, pause), Step::Wait(SHORT_PATIENCE));
        shelf.waited(later - 999);
        assert_eq!(shelf.step(later - 998, pause), Step::Go);
    }

    #[test]
    fn what_is_about_to_be_live_is_looked_for() {
        let (pointer, _) = Pointer::read("aaaaaaaaaaaaaaaa\n1970-01-01T01:00:00Z bbbbbbbbbbbbbbbb");
        let mut shelf = Shelf { pointer, settled: true, looked: Some(0), ..Shelf::default() };
        let hours = 24 * 3_600_000;
        // Nothing is here, not even what is live.
        assert!(shelf.is_wanting(0));
        shelf.pointer = Pointer::read("1970-01-01T01:00:00Z bbbbbbbbbbbbbbbb").0;
        assert_eq!(shelf.step(3_600_000 - AHEAD - 1, hours), Step::Go);
        assert_eq!(shelf.step(3_600_000 - AHEAD, hours), Step::Wait(SHORT_PATIENCE));
    }
}
