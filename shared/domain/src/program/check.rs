//! What is looked at once, before a document is published, and never again: it may take its time.

use super::{Program, examples, impossible, read};
use crate::json::{Faults, Json, Object, Path};

impl Program {
    /// Reads a document that somebody wants to publish: as [`Program::from_json`], and no rule may be in vain, and
    /// its examples must hold.
    ///
    /// Published versions are loaded without these checks: they passed them, and a function that starts has no time.
    ///
    /// # Errors
    /// Everything that is wrong with it, with pointers.
    pub fn checked(json: &Json) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let program = read::program(json, &mut faults);
        let readable = faults.is_empty();
        let root = Path::ROOT;
        let Some(mut object) = Object::new(json, &root, &mut faults) else { return Err(faults) };
        if let (Some(program), Some(Json::List(rules))) = (&program, object.raw("earning_rules")) {
            impossible::refuse(program, rules, &root.name("earning_rules"), &mut faults);
        }
        if let Some(program) = &program {
            impossible::refuse_rewards(program, &root.name("rewards"), &mut faults);
        }
        let examples = object.optional("examples", &mut faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| {
            examples::read(json, at, faults, program.as_ref())
        });
        // What another fault makes of an example is nobody's concern.
        if let (true, Some(program), Some(examples)) = (readable, &program, examples) {
            examples::refuse_untrue(&examples, program, &root.name("examples"), &mut faults);
        }
        faults.settle(program)
    }
}
