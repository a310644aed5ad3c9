//! What of a program only explanations read.

use super::layout::{NONE, Section};
use super::{Program, run};

impl Program {
    /// The name of an audience.
    pub(crate) fn audience_name(&self, audience: u32) -> &str {
        self.text(self.record::<1>(Section::Audiences, audience as usize).map_or(NONE, |[name]| name))
    }

    /// The set of page rules of a slot.
    pub(crate) fn slot_pages(&self, slot: u32) -> u32 {
        let [_, _, pages] = self.slot(slot);
        pages
    }

    /// The rules of a set of page rules as people write them, such as `shop.example/products/*?currency=EUR`.
    pub(crate) fn page_rules(&self, pages: u32) -> Vec<String> {
        let [start, len] = self.record(Section::Pages, pages as usize).unwrap_or_default();
        let rules = run(start, len).map_while(|rule| self.record::<4>(Section::Rules, rule));
        let written = rules.map(|[host, path, start, len]| {
            let mut rule = format!("{}{}", self.text(host), self.text(path));
            let parameters = run(start, len).map_while(|parameter| self.record::<2>(Section::Queries, parameter));
            for (index, [name, glob]) in parameters.enumerate() {
                rule.push_str(if index == 0 { "?" } else { "&" });
                rule.push_str(&format!("{}={}", self.text(name), self.text(glob)));
            }
            rule
        });
        written.collect()
    }
}
