//! Contents: what a slot shows becomes a list of edits.

use super::template::{Place, Template};
use super::{Compiler, html, selector};
use crate::edit::EditOp;
use crate::manifest::{Content, Json, JsonPart, Slot, SlotKind, Spanned};
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
        let data = slot.kind == Some(SlotKind::Data);
        if slot.kind == Some(SlotKind::Page) {
            return self.page_edit(content, fields);
        }
        let Content { text, html, attribute, class, image, hide, json, redirect, page } = &content.value;
        if let Some(elsewhere) = redirect.as_ref().or(page.as_ref()) {
            let help = Some("say \"type\": \"page\" in the slot".into());
            self.error_with_help(elsewhere, "redirect and page go into a page slot", help);
            return Vec::new();
        }
        let edits_element =
            text.is_some() || html.is_some() || !attribute.is_empty() || class.is_some() || image.is_some() || hide.is_some();
        match (data, json) {
            (true, Some(json)) if !edits_element => return self.json_edit(json, fields),
            (true, _) => {
                self.error(content, "a data slot shows { \"json\": ... } and nothing else");
                return Vec::new();
            }
            (false, Some(json)) => self.error(json, "json goes into a data slot; say \"type\": \"data\" in the slot"),
            (false, None) if !edits_element => {
                self.error(content, "the content is empty; expected text, html, attribute, class, image or hide");
            }
            (false, None) => {}
        }
        self.check_overlaps(&content.value);
        if let Some(text) = text.as_ref().or(html.as_ref()) {
            self.check_takes_text(text, slot);
        }
        let mut edits = Vec::new();
        let mut push = |op: EditOp, name: &str, value: Vec<Part>| {
            fields.add(&value);
            edits.push(ContentEdit { op, name: name.to_owned(), value });
        };
        if let (Some(_), Some(html)) = (text, html) {
            self.error(html, "a content has text or html, not both");
        }
        if let Some(text) = text {
            push(EditOp::Text, "", self.template(text, &Place::Text));
        }
        if let Some(html) = html {
            push(EditOp::Html, "", self.template(html, &Place::Html));
        }
        for (name, value) in attribute {
            if !html::is_attribute_name(&name.value) {
                self.error(name, format!("`{}` is no name of an attribute", name.value));
            }
            push(EditOp::Attribute, &name.value, self.template(value, &Place::Attribute(&name.value)));
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
            push(EditOp::Attribute, "src", self.template(&image.src, &Place::Attribute("src")));
            // Else the browser would go on showing what these say.
            push(EditOp::RemoveAttribute, "srcset", Vec::new());
            push(EditOp::RemoveAttribute, "sizes", Vec::new());
            if let Some(alt) = &image.alt {
                push(EditOp::Attribute, "alt", self.template(alt, &Place::Attribute("alt")));
            }
        }
        if let Some(hide) = hide {
            if !hide.value {
                self.error(hide, "hide is true or left out");
            }
            push(EditOp::Hide, "", Vec::new());
        }
        edits
    }

    /// Text and markup stay out of elements whose content is code.
    fn check_takes_text(&mut self, text: &Spanned<String>, slot: &Slot) {
        let types = slot.selector.as_ref().and_then(|selector| selector::types(&selector.value).ok()).unwrap_or_default();
        if let Some(raw) = types.iter().find(|found| html::RAW.contains(&found.as_str())) {
            self.error(
                text,
                format!(
                    "the slot may be an element `{raw}`, whose content is code or shown as it is: text and html stay out of it"
                ),
            );
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
    fn template(&mut self, text: &Spanned<String>, place: &Place<'_>) -> Vec<Part> {
        let template = Template::parse(&text.value, &self.names).and_then(|template| template.placed(place));
        match template {
            Ok(parts) => parts,
            Err(errors) => {
                for error in errors {
                    self.error_inside(text, error);
                }
                Vec::new()
            }
        }
    }

    /// What a page slot shows: another page.
    fn page_edit(&mut self, content: &Spanned<Content>, fields: &mut ContentFields) -> Vec<ContentEdit> {
        let Content { redirect, page, .. } = &content.value;
        let nothing = Content {
            text: None,
            html: None,
            attribute: Vec::new(),
            class: None,
            image: None,
            hide: None,
            json: None,
            redirect: redirect.clone(),
            page: page.clone(),
        };
        let (op, value) = match (redirect, page) {
            (Some(url), None) if content.value == nothing => {
                let text = url.value.as_str();
                // A value at the start is an error of its own.
                let is_web = text.starts_with("{{") || ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
                if !is_web && (!text.starts_with('/') || text.starts_with("//") || text.starts_with("/\\")) {
                    self.error(url, "expected a path that starts with /, or an http or https URL");
                }
                (EditOp::Redirect, self.template(url, &Place::Redirect))
            }
            (None, Some(path)) if content.value == nothing => {
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
                        if let Some(path) = template.private_field() {
                            self.error_with_help(
                                json,
                                format!("json can't interpolate `{path}`: it travels in the page's state, which holds nothing of a profile"),
                                Some("use text or html, or let the front-end code read the profile".into()),
                            );
                        }
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
