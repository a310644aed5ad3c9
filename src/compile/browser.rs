//! The program for browsers: the manifest without its drafts, without what reads something personal, and without what nobody else
//! uses.

use super::reads::Reads;
use super::template::Template;
use super::{Compiled, Compiler, Zones, check};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::{Experience, Manifest, Spanned, Status, read_manifest};
use crate::program::Program;
use std::collections::HashSet;

/// As [`check`], with the program that browsers are given and that anybody may read: no draft is in it, no experience that reads
/// something personal, no persona, and no audience, group, layer, trait, list or enrichment that no other experience uses. Slots
/// stay, so that each slot of a page is decided. It has the manifest's version, and decides as the manifest's own program does
/// wherever no draft is forced and nothing personal is read.
pub fn compile_for_browsers(source: &str, zones: &dyn Zones) -> Result<Compiled, Vec<Diagnostic>> {
    let whole = check(source, zones)?;
    let mut diagnostics = Diagnostics::new(source);
    let bytes = read_manifest(&mut diagnostics).map(|manifest| {
        let mut compiler = Compiler::new(&manifest, zones, &mut diagnostics);
        compiler.sections();
        let left_out = compiler.not_for_browsers();
        let rest = compiler.for_everyone(&left_out);
        let mut compiler = Compiler::new(&rest, zones, &mut diagnostics);
        compiler.for_browsers = true;
        compiler.left_out = left_out;
        compiler.sections();
        compiler.builder.finish(whole.program.version_bytes())
    });
    match bytes.map(Program::load) {
        Some(Ok(program)) if diagnostics.is_empty() => Ok(Compiled { program, ..whole }),
        Some(Err(error)) => {
            diagnostics.error("", 0..1, error.to_string());
            Err(diagnostics.finish())
        }
        _ => Err(diagnostics.finish()),
    }
}

impl<'m> Compiler<'m, '_, '_> {
    /// The ids of drafts, and of experiences that read something personal.
    fn not_for_browsers(&self) -> HashSet<&'m str> {
        let left_out = self.outlines.iter().filter(|one| one.experience.is_draft() || self.reads_personal(one));
        left_out.map(|one| one.experience.id.value.as_str()).collect()
    }

    /// The manifest without these experiences, and without what nobody else uses.
    fn for_everyone(&self, left_out: &HashSet<&str>) -> Manifest {
        let mut manifest = self.manifest.clone();
        manifest.experiences.0.retain(|experience| !left_out.contains(experience.id.value.as_str()));
        manifest.personas.clear();
        let reads = self.reads_of_others(left_out);
        let mut number = 0..;
        manifest.audiences.retain(|_| number.next().is_some_and(|audience| reads.audiences().any(|other| other == audience)));
        let paths: HashSet<&str> = reads.fields().filter_map(|field| Some(self.names.declared(field)?.path.as_str())).collect();
        manifest.traits.retain(|(name, _)| is_read(&paths, "profile", name));
        manifest.holidays.retain(|(name, _)| is_read(&paths, "holidays", name));
        manifest.places.retain(|(name, _)| is_read(&paths, "places", name));
        manifest.enrichments.retain(|(name, _)| is_read(&paths, "enrichment", name));
        let experiences = &manifest.experiences.0;
        let named = |names: fn(&Experience) -> Vec<&Spanned<String>>| -> HashSet<&str> {
            experiences.iter().flat_map(names).map(|name| name.value.as_str()).collect()
        };
        let groups = named(|experience| experience.groups.0.iter().chain(&experience.suppresses.0).collect());
        manifest.groups.retain(|(name, _)| groups.contains(name.value.as_str()));
        let layers = named(|experience| experience.layer.iter().map(|layer| &layer.name).collect());
        manifest.layers.retain(|(name, _)| layers.contains(name.value.as_str()));
        manifest
    }

    /// What is read by all other experiences, and by the enrichments that they read.
    fn reads_of_others(&self, left_out: &HashSet<&str>) -> Reads {
        let mut reads = Reads::default();
        for outline in self.outlines.iter().filter(|outline| !left_out.contains(outline.experience.id.value.as_str())) {
            if let Some(audience) = &outline.audience {
                reads.add(&Reads::of(audience));
            }
            reads.add_fields(&outline.read);
            let unit = outline.experience.unit.as_ref().and_then(|unit| self.names.fields.get(&unit.value));
            reads.add_fields(&unit.map(|(field, _)| *field).into_iter().collect::<Vec<_>>());
        }
        let mut all = self.with_audiences(reads);
        for (name, enrichment) in &self.manifest.enrichments {
            let path = format!("enrichment.{}.", name.value);
            let is_own = |field| self.names.declared(field).is_some_and(|declared| declared.path.starts_with(&path));
            if all.fields().any(is_own)
                && let Ok(url) = Template::parse_url(&enrichment.url.value, &self.names)
            {
                let fields = url.fields().filter_map(|(path, _)| Some(self.names.fields.get(path)?.0));
                all.add_fields(&fields.collect::<Vec<_>>());
            }
        }
        all
    }
}

/// Whether a declared thing is read: it is one field, or has several.
fn is_read(paths: &HashSet<&str>, kind: &str, name: &Spanned<String>) -> bool {
    let path = format!("{kind}.{}", name.value);
    paths.iter().any(|read| read.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

impl Experience {
    fn is_draft(&self) -> bool {
        self.status == Some(Status::Draft)
    }
}
