//! What can only be told from all files together: names given twice, and what the schema refuses.

use std::collections::HashMap;

use cedar_policy::{PolicyId, PolicySet, ValidationMode};

use crate::error::Problem;
use crate::schema::Vocabulary;
use crate::source::{Read, Rule, Source, at, located, read};

/// Stack that parsing and checking may use, in bytes. Both walk rules recursively and do not watch their stack themselves;
/// this is enough for what `bounds` lets through, also without optimisation. Evaluating does watch, and then errs.
const STACK: usize = 64 << 20;

/// Rules of all files, and what people should know about them.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub rules: Vec<Rule>,
    pub notices: Vec<Problem>,
}

/// Reads and checks files.
///
/// # Errors
/// Every problem found, in the order of files and lines.
pub(crate) fn check(sources: &[Source], vocabulary: &Vocabulary) -> Result<Checked, Vec<Problem>> {
    stacker::grow(STACK, || check_all(sources, vocabulary))
}

fn check_all(sources: &[Source], vocabulary: &Vocabulary) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut notices = Vec::new();
    let mut set = PolicySet::new();
    let mut owners: HashMap<PolicyId, (usize, usize)> = HashMap::new();
    let mut rules: Vec<Rule> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let Read { rules: found, problems: wrong, notices: noted } = read(source, &vocabulary.groups);
        problems.extend(wrong);
        notices.extend(noted);
        for rule in found {
            if set.add(rule.policy.clone()).is_ok() {
                owners.insert(rule.policy.id().clone(), (number, rule.offset));
                rules.push(rule);
            } else {
                let other = rules.iter().find(|other| other.info.id == rule.info.id);
                let place = other.map(|o| format!(" (also {}:{})", o.info.file, o.info.line)).unwrap_or_default();
                problems.push(at(source, rule.offset, format!("the id `{}` is given twice{place}", rule.info.id)));
            }
        }
    }
    let source_of = |id: &PolicyId| {
        owners.get(id).and_then(|(number, offset)| sources.get(*number).map(|source| (source, *offset)))
    };
    let result = vocabulary.validator.validate(&set, ValidationMode::Strict);
    for error in result.validation_errors() {
        if let Some((source, offset)) = source_of(error.policy_id()) {
            problems.push(located(source, offset, error));
        }
    }
    for warning in result.validation_warnings() {
        if let Some((source, offset)) = source_of(warning.policy_id()) {
            notices.push(located(source, offset, warning));
        }
    }
    notices.sort();
    if problems.is_empty() {
        return Ok(Checked { rules, notices });
    }
    problems.sort();
    problems.dedup();
    Err(problems)
}
