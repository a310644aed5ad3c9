//! Warnings: what the compiler takes, although it has no effect.

use super::logic::{Cases, Clause, Logic};
use super::prerequisites::unmet;
use super::reads::Reads;
use super::shadows::{How, Shadow, shadows};
use super::{Compiler, Outline};
use crate::expr::Checked;
use crate::manifest::Spanned;
use crate::sorted::Numbers;
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
                // Whoever was assigned before stays so, if that is what is wanted.
                let what = match outline.experience.is_sticky() {
                    true => "this audience can never be true".to_owned(),
                    false => format!("experience `{}` can never win", outline.experience.id.value),
                };
                warnings.push(contradiction(text, what, &cases.refuted));
            }
            all.push(cases);
        }
        warnings.extend(unmet(outlines, &all, &mut logic).into_iter().map(|unmet| Warning {
            at: unmet.at,
            part: None,
            message: format!(
                "experience `{}` can never win: `{}`, which it requires, {}",
                unmet.of.id.value, unmet.at.value, unmet.why
            ),
            help: "require something that visitors are assigned to, or leave it out".to_owned(),
        }));
        let nowhere =
            outlines.iter().map(|outline| outline.experience).filter(|one| one.is_running() && one.is_nowhere(manifest));
        warnings.extend(nowhere.map(|one| Warning {
            at: &one.id,
            part: None,
            message: format!("experience `{}` can never win: none of its slots is on its pages", one.id.value),
            help: "compare its `pages` with those of its slots".to_owned(),
        }));
        warnings.extend(shadows(manifest, outlines, &all, &mut logic).into_iter().map(shadowed));
        warnings
    }

    /// Audiences that no experience names, nor an audience that one names.
    fn unused_audiences(&self, outlines: &[Outline<'m>]) -> Vec<Warning<'m>> {
        let mut used = Numbers::default();
        for audience in outlines.iter().filter_map(|outline| outline.audience.as_ref()) {
            used.extend(&self.with_audiences(Reads::of(audience)).audiences().collect::<Vec<_>>());
        }
        let unused = self.manifest.audiences.iter().enumerate().filter(|(index, _)| !used.contains(*index as u32));
        let warnings = unused.map(|(_, (name, _))| Warning {
            at: name,
            part: None,
            message: format!("nothing uses the audience `{}`", name.value),
            help: "name it in the audience of an experience, or remove it".to_owned(),
        });
        warnings.collect()
    }
}

/// That an experience never wins, since another one does.
fn shadowed(shadow: Shadow<'_>) -> Warning<'_> {
    let (id, by) = (&shadow.of.id.value, &shadow.by.id.value);
    let how = match shadow.how {
        How::Slot(slot) => format!("comes before it and takes `{slot}`"),
        How::Group(group) => format!("comes before it in the group `{group}`"),
        How::Suppressed(group) => format!("suppresses its group `{group}`"),
    };
    let help = match shadow.how {
        How::Suppressed(_) => format!("narrow the audience of `{by}`, or take one of them out of the group"),
        _ => format!("give it a higher priority than `{by}`, or narrow the audience of `{by}`"),
    };
    let message = format!("experience `{id}` can never win: wherever it could, `{by}` {how}");
    Warning { at: &shadow.of.id, part: None, message, help }
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
