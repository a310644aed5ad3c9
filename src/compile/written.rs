//! Every expression of a manifest, and what stands in `{{ }}` of its contents, as it is written.

use super::template::insides;
use crate::manifest::{Content, Experience, JsonPart, Manifest, SlotContent, Spanned};

/// Is called with an expression, and where it is.
type Visit<'v> = dyn FnMut(&str, &dyn Fn() -> Spanned<()>) + 'v;

/// Calls `visit` with each, in the order of the sections. Paths that personas set and that propensities read are expressions too.
pub(super) fn expressions(manifest: &Manifest, visit: &mut Visit<'_>) {
    let mut one = |text: &Spanned<String>| visit(&text.value, &|| place(text));
    manifest.audiences.iter().for_each(|(_, text)| one(text));
    manifest.experiences.0.iter().filter_map(|experience| experience.audience.as_ref()).for_each(&mut one);
    manifest.personas.iter().flat_map(|(_, values)| values).for_each(|(path, _)| one(path));
    manifest.enrichments.iter().for_each(|(_, enrichment)| template(&enrichment.url, visit));
    for experience in &manifest.experiences.0 {
        contents(experience).for_each(|content| content_templates(content, visit));
    }
}

fn place<T>(at: &Spanned<T>) -> Spanned<()> {
    Spanned { value: (), span: at.span.clone(), path: at.path.clone() }
}

fn template(text: &Spanned<String>, visit: &mut Visit<'_>) {
    insides(&text.value).for_each(|inside| visit(inside, &|| place(text)));
}

/// All contents of an experience, those of its factors too.
fn contents(experience: &Experience) -> impl Iterator<Item = &Content> {
    let of_factors = experience.factors.iter().flat_map(|(_, factor)| &factor.slots);
    experience.slots.iter().chain(of_factors).flat_map(|(_, content)| match content {
        SlotContent::One(content) => vec![&content.value],
        SlotContent::Variants(variants) => variants.value.0.iter().filter_map(|variant| variant.value.as_ref()).collect(),
    })
}

fn content_templates(content: &Content, visit: &mut Visit<'_>) {
    let Content { text, html, image, replace, before, after, first, last, redirect, page, fragment, json, attribute, .. } =
        content;
    let image = image.iter().flat_map(|image| std::iter::once(&image.src).chain(&image.alt));
    let texts = [text, html, replace, before, after, first, last, redirect, page].into_iter().flatten();
    let texts = texts.chain(attribute.iter().map(|(_, value)| value)).chain(image);
    texts.chain(fragment.iter().map(|fragment| &fragment.value.path)).for_each(|text| template(text, visit));
    for (part, json) in json.iter().flat_map(|json| json.value.0.iter().map(move |part| (part, json))) {
        if let JsonPart::Text(text) = part {
            insides(text).for_each(|inside| visit(inside, &|| place(json)));
        }
    }
}
