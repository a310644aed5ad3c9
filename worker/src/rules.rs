//! What is learned of visitors, as the isolate's programs say it: read once for each version.

use idoine::Program;
use idoine::learn::Rules;
use std::cell::RefCell;
use std::rc::Rc;

/// The most versions that are kept: one for each site, and what is being replaced.
const MOST: usize = 16;

thread_local! {
    static READ: RefCell<Vec<(String, Rc<Rules>)>> = const { RefCell::new(Vec::new()) };
}

/// The rules of a program; those of a manifest that says nothing where it has none that can be read.
pub fn of(program: &Program) -> Rc<Rules> {
    let version = program.version();
    READ.with(|read| {
        let Ok(mut read) = read.try_borrow_mut() else { return made(program) };
        if let Some((_, rules)) = read.iter().find(|(known, _)| *known == version) {
            return Rc::clone(rules);
        }
        let rules = made(program);
        if read.len() >= MOST {
            read.remove(0);
        }
        read.push((version, Rc::clone(&rules)));
        rules
    })
}

fn made(program: &Program) -> Rc<Rules> {
    Rc::new(Rules::from_bytes(program.rules_bytes()).unwrap_or_default())
}
