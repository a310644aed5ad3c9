//! Who reads what of a visitor: for the data map.

use super::reads::Reads;
use super::{Compiler, Zones, check};
use crate::context::FIELDS;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::learn::Rules;
use crate::manifest::{Manifest, read_manifest};

/// A manifest, and what its parts read.
pub(crate) struct Uses {
    pub(crate) manifest: Manifest,
    /// The version of its program.
    pub(crate) version: String,
    /// What is learned.
    pub(crate) rules: Rules,
    /// Each experience, and the paths that it reads, by itself and by the audiences that it names.
    pub(crate) experiences: Vec<(String, Vec<String>)>,
    /// Each audience, the same.
    pub(crate) audiences: Vec<(String, Vec<String>)>,
}

/// What the parts of a manifest read; all that is wrong with it where it is refused.
pub(crate) fn uses(source: &str, zones: &dyn Zones) -> Result<Uses, Vec<Diagnostic>> {
    let program = check(source, zones)?.program;
    let rules = Rules::from_bytes(program.rules_bytes()).unwrap_or_default();
    let mut diagnostics = Diagnostics::new(source);
    let Some(manifest) = read_manifest(&mut diagnostics) else { return Err(diagnostics.finish()) };
    let mut compiler = Compiler::new(&manifest, zones, &mut diagnostics);
    compiler.sections();
    let experiences = compiler.outlines.iter().map(|outline| {
        let mut reads = outline.audience.as_ref().map_or_else(Reads::default, Reads::of);
        reads.add_fields(&outline.read);
        let unit = outline.experience.unit.as_ref().and_then(|unit| compiler.names.fields.get(&unit.value));
        reads.add_fields(&unit.map(|(field, _)| *field).into_iter().collect::<Vec<_>>());
        (outline.experience.id.value.clone(), compiler.paths(reads))
    });
    let experiences: Vec<_> = experiences.collect();
    let audiences = manifest.audiences.iter().zip(&compiler.audience_reads);
    let audiences: Vec<_> = audiences.map(|((name, _), reads)| (name.value.clone(), compiler.paths(reads.clone()))).collect();
    Ok(Uses { version: program.version(), rules, experiences, audiences, manifest })
}

impl Compiler<'_, '_, '_> {
    /// The paths of what is read, and of what the audiences among it read.
    fn paths(&self, reads: Reads) -> Vec<String> {
        let path = |field: u32| match self.names.declared(field) {
            Some(declared) => Some(declared.path.clone()),
            None => FIELDS.get(field as usize).map(|field| field.path.to_owned()),
        };
        self.with_audiences(reads).fields().filter_map(path).collect()
    }
}
