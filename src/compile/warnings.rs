//! Warnings: what the compiler takes, although it has no effect.

use super::logic::{Cases, Clause, Logic};
use super::reads::Reads;
use super::shadows::shadows;
use super::{Compiler, Outline};
use crate::expr::Checked;
use crate::manifest::Spanned;
use std::collections::BTreeSet;
use std::ops::Range;

/// A warning about a text of the manifest, or about a part of the expression in it.
struct Warning<'m> {
    at: &'m Spanned<String>,
    part: Option<Range<usize>>,
    message: String,
    help: String,
}

impl<'m> Compiler<'m, '_, '_> {
    /// Warns of audiences that contradict themselves or that nobody uses, and of experiences that can never win.
    pub(super) fn warnings(&mut self, audiences: &[Option<Checked>], outlines: &[Outline<'m>]) {
        let mut warnings = self.never_true(audiences, outlines);
        warnings.extend(self.unused_audiences(outlines));
        for Warning { at, part, message, help } in warnings {
            let span = part.map_or_else(|| at.span.clone(), |part| self.inside(at, part));
            self.diagnostics.warning(&at.path, span, message, &help);
        }
    }

    /// Audiences that are never true, and experiences that never win.
    fn never_true(&self, audiences: &[Option<Checked>], outlines: &[Outline<'m>]) -> Vec<Warning<'m>> {
        let manifest = self.manifest;
        let named = manifest.audiences.iter().zip(audiences);
        let named = named.map(|((name, text), checked)| (name.value.as_str(), text.value.as_str(), checked.as_ref()));
        let mut logic = Logic::new(&self.names, named.collect());
        let mut warnings = Vec::new();
        for (index, (_, text)) in manifest.audiences.iter().enumerate() {
            let cases = logic.audience(index as u32, true);
            if cases.is_never() {
                warnings.push(contradiction(text, "this audience can never be true".to_owned(), &cases.refuted));
            }
        }
        let mut all = Vec::new();
        for outline in outlines {
            let expression = outline.audience.as_ref().zip(outline.experience.audience.as_ref());
            let cases = expression.map_or_else(Cases::always, |(checked, text)| logic.cases(checked, &text.value));
            if cases.is_never()
                && let Some(text) = &outline.experience.audience
            {
                let id = &outline.experience.id.value;
                warnings.push(contradiction(text, format!("experience `{id}` can never win"), &cases.refuted));
            }
            all.push(cases);
        }
        warnings.extend(shadows(manifest, outlines, all, &mut logic).into_iter().map(|shadow| {
            let (id, by) = (&shadow.of.id.value, &shadow.by.id.value);
            Warning {
                at: &shadow.of.id,
                part: None,
                message: format!(
                    "experience `{id}` can never win: wherever it could, `{by}` comes before it and takes `{}`",
                    shadow.slot
                ),
                help: format!("give it a higher priority than `{by}`, or narrow the audience of `{by}`"),
            }
        }));
        warnings
    }

    /// Audiences that no experience names, nor an audience that one names.
    fn unused_audiences(&self, outlines: &[Outline<'m>]) -> Vec<Warning<'m>> {
        let mut used = BTreeSet::new();
        for audience in outlines.iter().filter_map(|outline| outline.audience.as_ref()) {
            used.extend(self.with_audiences(Reads::of(audience)).audiences());
        }
        let unused = self.manifest.audiences.iter().enumerate().filter(|(index, _)| !used.contains(&(*index as u32)));
        let warnings = unused.map(|(_, (name, _))| Warning {
            at: name,
            part: None,
            message: format!("nothing uses the audience `{}`", name.value),
            help: "name it in the audience of an experience, or remove it".to_owned(),
        });
        warnings.collect()
    }
}

/// That something cannot be, with the clauses that see to it, at the place of the last that contradicts the first.
fn contradiction<'m>(at: &'m Spanned<String>, what: String, refuted: &[Vec<Clause<'_>>]) -> Warning<'m> {
    let why = refuted.iter().map(|clauses| {
        let shown: Vec<String> = clauses.iter().map(Clause::to_string).collect();
        match shown.as_slice() {
            [before @ .., last] if !before.is_empty() => format!("{} and {last} contradict each other", before.join(", ")),
            clause => format!("{} is never true", clause.concat()),
        }
    });
    let message = format!("{what}: {}", why.collect::<Vec<_>>().join("; "));
    let help = "check the values that are compared, and whether && should be ||".to_owned();
    let part = refuted.first().and_then(|clauses| clauses.last()).map(|clause| clause.span.clone());
    Warning { at, part, message, help }
}
