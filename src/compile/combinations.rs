//! Which parts of a content go together, and with which elements.

use super::{Compiler, html, selector};
use crate::manifest::{Content, Position, Slot, Spanned};

/// A part of a content that brings text or HTML, or takes elements away.
struct Brought {
    name: &'static str,
    position: Position,
    at: Spanned<()>,
}

impl Content {
    /// The parts that are written, by their names.
    pub(super) fn parts(&self) -> Vec<&'static str> {
        let parts = [
            (self.text.is_some(), "text"),
            (self.html.is_some(), "html"),
            (!self.attribute.is_empty(), "attribute"),
            (self.class.is_some(), "class"),
            (self.image.is_some(), "image"),
            (self.hide.is_some(), "hide"),
            (self.replace.is_some(), "replace"),
            (self.before.is_some(), "before"),
            (self.after.is_some(), "after"),
            (self.first.is_some(), "first"),
            (self.last.is_some(), "last"),
            (self.remove.is_some(), "remove"),
            (self.fragment.is_some(), "fragment"),
            (self.moved.is_some(), "move"),
            (self.reorder.is_some(), "reorder"),
            (self.json.is_some(), "json"),
            (self.redirect.is_some(), "redirect"),
            (self.page.is_some(), "page"),
        ];
        parts.into_iter().filter_map(|(written, name)| written.then_some(name)).collect()
    }

    fn brought(&self) -> Vec<Brought> {
        fn part<T>(name: &'static str, position: Position, value: Option<&Spanned<T>>) -> Option<Brought> {
            let at = value.map(|value| Spanned { value: (), span: value.span.clone(), path: value.path.clone() })?;
            Some(Brought { name, position, at })
        }
        let place = self.fragment.as_ref().map_or(Position::Content, |fragment| fragment.value.place);
        let parts = [
            part("text", Position::Content, self.text.as_ref()),
            part("html", Position::Content, self.html.as_ref()),
            part("replace", Position::Replace, self.replace.as_ref()),
            part("before", Position::Before, self.before.as_ref()),
            part("after", Position::After, self.after.as_ref()),
            part("first", Position::First, self.first.as_ref()),
            part("last", Position::Last, self.last.as_ref()),
            part("remove", Position::Replace, self.remove.as_ref()),
            part("fragment", place, self.fragment.as_ref()),
        ];
        parts.into_iter().flatten().collect()
    }
}

impl Compiler<'_, '_, '_> {
    /// Refuses what would undo or miss another part of the same content, and what the slot's elements can't take.
    pub(super) fn check_combination(&mut self, content: &Content, slot: &Slot) {
        let brought = content.brought();
        if let Some(away) = brought.iter().find(|part| part.position == Position::Replace) {
            let others: Vec<&str> = content.parts().into_iter().filter(|name| *name != away.name).collect();
            if !others.is_empty() {
                self.error_with_help(
                    &away.at,
                    format!("{} takes the elements away: nothing is left for {}", away.name, others.join(", ")),
                    Some("leave the others out, or write all of it into the HTML of `replace`".into()),
                );
            }
        } else {
            for (index, part) in brought.iter().enumerate() {
                let inside = matches!(part.position, Position::First | Position::Last);
                for other in brought.iter().take(index) {
                    if part.position == other.position {
                        let what = if part.name == "fragment" { "a fragment in that place" } else { part.name };
                        self.error(&part.at, format!("a content has {} or {what}, not both", other.name));
                    } else if inside && other.position == Position::Content {
                        self.goes_into_replaced(part, other);
                    } else if part.position == Position::Content && matches!(other.position, Position::First | Position::Last) {
                        self.goes_into_replaced(other, part);
                    }
                }
            }
        }
        self.check_rearranged(content, &brought);
        let types = slot.selector.as_ref().and_then(|selector| selector::types(&selector.value).ok()).unwrap_or_default();
        for part in &brought {
            if let Some((message, help)) = types.iter().find_map(|found| refusal(found, part)) {
                self.error_with_help(&part.at, message, help.map(str::to_owned));
            }
        }
        for found in &types {
            let holds = ["html", "head", "body"].contains(&found.as_str());
            if let (Some(moved), true) = (&content.moved, holds) {
                self.error(
                    moved,
                    format!("the slot may be the element `{found}`, which holds a page together: it stays where it is"),
                );
            }
            let childless = html::VOID.contains(&found.as_str()) || html::RAW.contains(&found.as_str());
            if let (Some(reorder), true) =
                (&content.reorder, childless || matches!(found.as_str(), "html" | "textarea" | "title"))
            {
                self.error(
                    reorder,
                    format!("the slot may be an element `{found}`, which has no children that could be in another order"),
                );
            }
        }
    }

    /// What moves in the page is not what the rest of the content brings: the edge brings it before, where the elements were.
    fn check_rearranged(&mut self, content: &Content, brought: &[Brought]) {
        for part in brought {
            let beside = matches!(part.position, Position::Before | Position::After);
            if let (Some(moved), true) = (&content.moved, beside) {
                let message = format!("{} goes beside the place that move takes the elements away from", part.name);
                let help = "give the place that they go to a slot of its own";
                self.error_with_help(moved, message, Some(help.into()));
            }
            let inside = matches!(part.position, Position::Content | Position::First | Position::Last);
            if let (Some(reorder), true) = (&content.reorder, inside) {
                let message = format!("reorder is about the children that the page has, which {} changes", part.name);
                self.error_with_help(reorder, message, Some("leave one of them out".into()));
            }
        }
    }

    fn goes_into_replaced(&mut self, inner: &Brought, content: &Brought) {
        self.error_with_help(
            &inner.at,
            format!("{} goes into the content that {} replaces", inner.name, content.name),
            Some("write both into one html".into()),
        );
    }
}

/// Why nothing can be brought there, and what to do instead, where the slot may be an element of this type.
fn refusal(found: &str, part: &Brought) -> Option<(String, Option<&'static str>)> {
    let inside = matches!(part.position, Position::Content | Position::First | Position::Last);
    let name = part.name;
    if inside && html::RAW.contains(&found) {
        let stay = "text and html stay out of it";
        return Some((format!("the slot may be an element `{found}`, whose content is code or shown as it is: {stay}"), None));
    }
    if inside && html::VOID.contains(&found) {
        return Some((
            format!("the slot may be an element `{found}`, which has no content"),
            Some("use replace, before or after"),
        ));
    }
    if inside && name != "text" && matches!(found, "textarea" | "title") {
        return Some((format!("the slot may be an element `{found}`, which holds text alone"), Some("use text")));
    }
    let is_frame = matches!(found, "html" | "head" | "body");
    if (is_frame && !inside) || (found == "html" && matches!(part.position, Position::First | Position::Last)) {
        return Some((
            format!("the slot may be the element `{found}`, which holds a page together: {name} would take the page apart"),
            Some("use first or last in body or head"),
        ));
    }
    None
}
