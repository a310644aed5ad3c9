//! Contents: what a slot shows becomes a list of edits.

use super::template::{Place, Template};
use super::{Compiler, html, selector};
use crate::edit::{EditOp, json_string};
use crate::expr::ExprError;
use crate::manifest::{Content, Fragment, Json, JsonPart, List, Move, Position, Slot, SlotKind, Spanned};
use crate::program::build::{ContentEdit, Part};
use crate::text::contains;

/// The fields that an experience's contents interpolate.
#[derive(Debug, Default)]
pub(super) struct ContentFields {
    /// Those without a default, each once.
    pub(super) needed: Vec<u32>,
    /// All of them.
    pub(super) read: Vec<u32>,
}

impl ContentFields {
    fn add(&mut self, parts: &[Part]) {
        for part in parts {
            let Part::Field { field, default, .. } = part else { continue };
            self.read.push(*field);
            if default.is_none() && !self.needed.contains(field) {
                self.needed.push(*field);
            }
        }
    }
}

impl Compiler<'_, '_, '_> {
    pub(super) fn content_edits(
        &mut self,
        content: &Spanned<Content>,
        slot: &Slot,
        fields: &mut ContentFields,
    ) -> Vec<ContentEdit> {
        let parts = content.value.parts();
        if slot.kind == Some(SlotKind::Page) {
            return self.page_edit(content, slot, fields);
        }
        let Content { text, html, attribute, class, image, hide, json, redirect, page, .. } = &content.value;
        if let Some(elsewhere) = redirect.as_ref().or(page.as_ref()) {
            let help = Some("say \"type\": \"page\" in the slot".into());
            self.error_with_help(elsewhere, "redirect and page go into a page slot", help);
            return Vec::new();
        }
        match (slot.kind == Some(SlotKind::Data), json) {
            (true, Some(json)) if parts == ["json"] => return self.json_edit(json, fields),
            (true, _) => {
                self.error(content, "a data slot shows { \"json\": ... } and nothing else");
                return Vec::new();
            }
            (false, Some(json)) => self.error(json, "json goes into a data slot; say \"type\": \"data\" in the slot"),
            (false, None) if parts.is_empty() => self.error_of_whole(
                content,
                "the content is empty; expected text, html, attribute, class, image, hide, replace, before, after, first, last, remove, fragment, move or reorder",
            ),
            (false, None) => {}
        }
        self.check_overlaps(&content.value);
        self.check_combination(&content.value, slot);
        let mut edits = Vec::new();
        let mut push = |op: EditOp, name: &str, value: Vec<Part>| {
            fields.add(&value);
            edits.push(ContentEdit { op, name: name.to_owned(), value });
        };
        if let Some(text) = text {
            push(EditOp::Text, "", self.template(slot, text, &Place::Text));
        }
        if let Some(html) = html {
            push(EditOp::Html, "", self.template(slot, html, &Place::Html));
        }
        for (name, value) in attribute {
            if !html::is_attribute_name(&name.value) {
                self.error(name, format!("`{}` is no name of an attribute", name.value));
            }
            push(EditOp::Attribute, &name.value, self.template(slot, value, &Place::Attribute(&name.value)));
        }
        if let Some(class) = class {
            for (op, names) in [(EditOp::ClassAdd, &class.add), (EditOp::ClassRemove, &class.remove)] {
                for name in &names.0 {
                    if name.value.is_empty()
                        || name
                            .value
                            .contains(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | '"' | '\'' | '<' | '>' | '&'))
                    {
                        self.error(name, "expected the name of one class; classes take no interpolation");
                    }
                    push(op, "", vec![Part::Literal(name.value.clone())]);
                }
            }
        }
        if let Some(image) = image {
            push(EditOp::Attribute, "src", self.template(slot, &image.src, &Place::Attribute("src")));
            // Else the browser would go on showing what these say.
            push(EditOp::RemoveAttribute, "srcset", Vec::new());
            push(EditOp::RemoveAttribute, "sizes", Vec::new());
            if let Some(alt) = &image.alt {
                push(EditOp::Attribute, "alt", self.template(slot, alt, &Place::Attribute("alt")));
            }
        }
        if let Some(hide) = hide {
            if !hide.value {
                self.error(hide, "hide is true or left out");
            }
            push(EditOp::Hide, "", Vec::new());
        }
        let Content { replace, before, after, first, last, remove, fragment, .. } = &content.value;
        for (op, html) in [
            (EditOp::Replace, replace),
            (EditOp::Before, before),
            (EditOp::After, after),
            (EditOp::First, first),
            (EditOp::Last, last),
        ] {
            if let Some(html) = html {
                push(op, "", self.template(slot, html, &Place::Html));
            }
        }
        if let Some(remove) = remove {
            if !remove.value {
                self.error(remove, "remove is true or left out");
            }
            push(EditOp::Remove, "", Vec::new());
        }
        if let Some(Spanned { value: Fragment { path, place }, .. }) = fragment {
            self.check_fragment(path);
            push(EditOp::Fragment, place_name(*place), self.template(slot, path, &Place::Fragment));
        }
        if let Some(Spanned { value: Move { target, place }, .. }) = &content.value.moved {
            self.check_target(target);
            push(EditOp::Move, place_name(*place), vec![Part::Literal(target.value.clone())]);
        }
        if let Some(order) = &content.value.reorder {
            push(EditOp::Reorder, "", vec![Part::Literal(self.order(order))]);
        }
        edits
    }

    /// Refuses what is no selector for a browser.
    fn check_target(&mut self, target: &Spanned<String>) {
        if let Err(error) = selector::check_of_document(&target.value) {
            self.error_inside(target, error);
        }
    }

    /// The selectors of children as a JSON list.
    fn order(&mut self, order: &Spanned<List<Spanned<String>>>) -> String {
        let children = &order.value.0;
        if children.is_empty() {
            self.error_of_whole(
                order,
                "expected the CSS selectors of the children that come first, such as [\".sale\", \".new\"]",
            );
        }
        let mut json = String::new();
        for (at, child) in children.iter().enumerate() {
            self.check_target(child);
            if children.iter().take(at).any(|other| other.value == child.value) {
                self.error(child, format!("`{}` stands here twice", child.value));
            }
            json.push_str(if at > 0 { "\",\"" } else { "[\"" });
            json_string(&child.value, &mut json);
        }
        json.push_str("\"]");
        json
    }

    /// A fragment is the origin's own, whatever a visitor's values are.
    fn check_fragment(&mut self, path: &Spanned<String>) {
        let text = path.value.as_str();
        let fixed = text.strip_prefix('/').is_some_and(|rest| !rest.starts_with('/') && !rest.starts_with("{{"));
        // What is wrong with the template is said where it is read.
        let Ok(template) = Template::parse(text, &self.names) else { return };
        let odd = |c: char| matches!(c, '\\' | '#') || c.is_whitespace() || c.is_control();
        if !fixed || template.literals().any(|(literal, _)| literal.contains(odd)) {
            self.error_with_help(
                path,
                "expected a path of the origin that starts with / and a fixed part, without spaces, backslash or fragment",
                Some("write /fragments/hero or /fragments/hero?country={{ geo.country }}".into()),
            );
        } else if let Some(span) = template.whole_segment() {
            let error = ExprError::new(span, "a value that is a whole part of the path could be `..`, and lead out of it");
            let help = "write something fixed beside it, as in /fragments/{{ geo.country }}.html, or put it into the query";
            self.error_inside(path, error.with_help(Some(help.to_owned())));
        }
    }

    /// No attribute is set by two parts of one content: they would undo each other.
    fn check_overlaps(&mut self, content: &Content) {
        let mut others: Vec<String> = Vec::new();
        if content.class.is_some() {
            others.push("class".to_owned());
        }
        if content.hide.is_some() {
            others.extend(["hidden", "style"].map(str::to_owned));
        }
        if let Some(image) = &content.image {
            others.extend(["src", "srcset", "sizes"].map(str::to_owned));
            others.extend(image.alt.iter().map(|_| "alt".to_owned()));
        }
        for (name, _) in &content.attribute {
            let lower = name.value.to_ascii_lowercase();
            if others.contains(&lower) {
                self.error(name, format!("`{lower}` is set here and by another part of this content"));
            }
            others.push(lower);
        }
    }

    /// The parts of a text with interpolations, each escaped for its place.
    fn template(&mut self, slot: &Slot, text: &Spanned<String>, place: &Place<'_>) -> Vec<Part> {
        let template = Template::parse(&text.value, &self.names);
        if slot.is_handed_over()
            && let Ok(template) = &template
        {
            let help = "let the front-end code read the profile, or leave the slot to the edge";
            self.check_public(text, template, "what a slot with render client shows", help);
        }
        match template.and_then(|template| template.placed(place)) {
            Ok(parts) => parts,
            Err(errors) => {
                for error in errors {
                    self.error_inside(text, error);
                }
                Vec::new()
            }
        }
    }

    /// Refuses what would take something of a profile into the page's state.
    fn check_public<T>(&mut self, at: &Spanned<T>, template: &Template, what: &str, help: &str) {
        if let Some(path) = template.private_field() {
            self.error_with_help(
                at,
                format!("{what} can't interpolate `{path}`: it travels in the page's state, which holds nothing of a profile"),
                Some(help.to_owned()),
            );
        }
    }

    /// What a page slot shows: another page.
    fn page_edit(&mut self, content: &Spanned<Content>, slot: &Slot, fields: &mut ContentFields) -> Vec<ContentEdit> {
        let Content { redirect, page, .. } = &content.value;
        let alone = content.value.parts().len() == 1;
        let (op, value) = match (redirect, page) {
            (Some(url), None) if alone => {
                let text = url.value.as_str();
                // A value at the start is an error of its own.
                let is_web = text.starts_with("{{") || ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
                if !is_web && (!text.starts_with('/') || text.starts_with("//") || text.starts_with("/\\")) {
                    self.error(url, "expected a path that starts with /, or an http or https URL");
                }
                (EditOp::Redirect, self.template(slot, url, &Place::Redirect))
            }
            (None, Some(path)) if alone => {
                let text = path.value.as_str();
                if !text.starts_with('/') || text.starts_with("//") || text.contains(['?', '#', '\\']) || contains(text, "{{") {
                    self.error(
                        path,
                        "expected a path of the origin that starts with /, without query, fragment or interpolation",
                    );
                }
                (EditOp::Page, vec![Part::Literal(text.to_owned())])
            }
            _ => {
                self.error(content, "a page slot shows { \"redirect\": ... } or { \"page\": ... } and nothing else");
                return Vec::new();
            }
        };
        fields.add(&value);
        vec![ContentEdit { op, name: String::new(), value }]
    }

    fn json_edit(&mut self, json: &Spanned<Json>, fields: &mut ContentFields) -> Vec<ContentEdit> {
        let mut value = Vec::new();
        for part in &json.value.0 {
            match part {
                JsonPart::Syntax(text) => value.push(Part::Literal(text.clone())),
                JsonPart::Text(text) => match Template::parse(text, &self.names) {
                    Ok(template) => {
                        let help = "use text or html, or let the front-end code read the profile";
                        self.check_public(json, &template, "json", help);
                        value.extend(template.json());
                    }
                    Err(errors) => {
                        for error in errors {
                            self.error_with_help(json, error.message, error.help);
                        }
                    }
                },
            }
        }
        fields.add(&value);
        vec![ContentEdit { op: EditOp::Json, name: String::new(), value }]
    }
}

/// A fragment's place as an edit names it: as the operation that inserts HTML there.
fn place_name(position: Position) -> &'static str {
    match position {
        Position::Content => "content",
        Position::Replace => EditOp::Replace.name(),
        Position::Before => EditOp::Before.name(),
        Position::After => EditOp::After.name(),
        Position::First => EditOp::First.name(),
        Position::Last => EditOp::Last.name(),
    }
}
