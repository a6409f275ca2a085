//! The policy set: all layers and the preset in one, immutable once loaded.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use cedar_policy::Authorizer;
use reeve_domain::id::{AgentId, RuleId, TeamId};
use reeve_domain::settings::Preset;
use reeve_domain::verdict::Layer;
use sha2::{Digest as _, Sha256};

use crate::ask::Grants;
use crate::check::{Checked, check};
use crate::error::{PolicyError, Problem};
use crate::governance::tools::ToolRules;
use crate::prepare::{Key, Prepared};
use crate::schema::Vocabulary;
use crate::slice::Table;
use crate::source::{Rule, RuleInfo, RuleKind, RuleMode, Source};

/// Rule that stands for "nothing matched" under a preset that then asks. Standing approvals may name it.
pub const DEFAULT_ASK: &str = "default-ask";
/// Rule that stands for "nothing matched" under a preset that then denies.
pub const DEFAULT_DENY: &str = "default-deny";
/// Rule that stands for "a rule could not be evaluated".
pub const EVALUATION_ERROR: &str = "reeve-evaluation-error";

const BALANCED: &str = include_str!("../../../policies/presets/balanced.cedar");
const STRICT: &str = include_str!("../../../policies/presets/strict.cedar");

/// The text of a shipped preset, and the file name it is shown under.
#[must_use]
pub fn preset_source(preset: Preset) -> Source {
    let (file, text) = match preset {
        Preset::Balanced => ("presets/balanced.cedar", BALANCED),
        Preset::Strict => ("presets/strict.cedar", STRICT),
    };
    Source { layer: Layer::Preset, file: file.to_owned(), text: text.to_owned() }
}

/// Every rule in force. What is remembered between calls are only results of loading, never of deciding.
pub struct PolicySet {
    pub(crate) preset: Preset,
    pub(crate) preset_file: String,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) rules: Table,
    pub(crate) standing: Table,
    /// Rules that only observe: those that forbid or ask, and those that permit.
    pub(crate) observing: [Table; 2],
    pub(crate) grants: Grants,
    pub(crate) prepared: RwLock<HashMap<Key, Arc<Prepared>>>,
    pub(crate) authorizer: Authorizer,
    pub(crate) own: OwnRules,
    pub(crate) tools: Arc<ToolRules>,
    revision: String,
    notices: Vec<Problem>,
}

/// Names of the verdicts that no written rule gives.
pub(crate) struct OwnRules {
    pub default: RuleId,
    pub evaluation_error: RuleId,
}

impl std::fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicySet")
            .field("preset", &self.preset)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl PolicySet {
    /// Loads the preset with the files of all layers. A permit with `@lifts` is a standing approval wherever it stands;
    /// in `standing`, the file that *Always* writes to, a permit without it is a plain permit.
    ///
    /// # Errors
    /// Every problem of every file, with file, line and column: what does not parse, what the schema does not know, rules
    /// without `@id` or `@reason`, ids given twice, annotations that make no sense.
    pub fn load(preset: Preset, sources: &[Source], standing: &[Source]) -> Result<Self, PolicyError> {
        let vocabulary = Vocabulary::shipped()?;
        let own = OwnRules::of(preset)?;
        let shipped = preset_source(preset);
        let preset_file = shipped.file.clone();
        let mut all: Vec<Source> = sources.iter().chain(standing).cloned().collect();
        all.push(shipped);
        all.sort_by_key(|source| source.layer);
        let revision = revision(preset, &all);
        let Checked { rules, mut notices } = check(&all, &vocabulary).map_err(PolicyError::Policy)?;
        let (observing, rules): (Vec<Rule>, Vec<Rule>) =
            rules.into_iter().partition(|rule| rule.info.mode == RuleMode::Observe);
        let (restrain, permit): (Vec<Rule>, Vec<Rule>) =
            observing.into_iter().partition(|rule| matches!(rule.info.kind, RuleKind::Forbid | RuleKind::Ask));
        let (standing, rules): (Vec<Rule>, Vec<Rule>) =
            rules.into_iter().partition(|rule| rule.info.kind == RuleKind::Standing);
        notices.extend(standing.iter().flat_map(|approval| idle(approval, &rules)));
        Ok(Self {
            preset,
            preset_file,
            vocabulary,
            rules: Table::new(rules),
            standing: Table::new(standing),
            observing: [Table::new(restrain), Table::new(permit)],
            grants: Grants::default(),
            prepared: RwLock::default(),
            authorizer: Authorizer::new(),
            own,
            tools: Arc::default(),
            revision,
            notices,
        })
    }

    /// With rules for tools beside those in Cedar: the stricter of both decides about a call.
    #[must_use]
    pub fn with_tools(mut self, tools: Arc<ToolRules>) -> Self {
        if let Some(files) = tools.revision() {
            let hex = hex::encode(Sha256::digest(format!("{}\n{files}", self.revision).as_bytes()));
            self.revision = hex.chars().take(12).collect();
        }
        self.notices.extend(tools.notices().iter().cloned());
        self.tools = tools;
        self
    }

    /// The rules for tools.
    #[must_use]
    pub fn tools(&self) -> &Arc<ToolRules> {
        &self.tools
    }

    /// First 12 hex digits of the SHA-256 of everything the set was loaded from.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    #[must_use]
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// What loaded but should be seen: permits of project files that are ignored, annotations without meaning, rules that
    /// can never apply.
    #[must_use]
    pub fn notices(&self) -> &[Problem] {
        &self.notices
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        [&self.rules, &self.standing].into_iter().chain(&self.observing)
    }

    /// Every rule and standing approval, also those that only observe, by layer, file and line.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleInfo> {
        let mut all: Vec<RuleInfo> = self.tables().flat_map(Table::rules).map(|rule| rule.info.clone()).collect();
        all.sort_by(|a, b| (a.layer, &a.file, a.line).cmp(&(b.layer, &b.file, b.line)));
        all
    }
}

impl PolicySet {
    /// The rules whose heads let them concern this agent, in the order of [`PolicySet::rules`], each with whether it names
    /// the agent or its team.
    #[must_use]
    pub fn rules_for(&self, agent: &AgentId, team: Option<&TeamId>) -> Vec<(RuleInfo, bool)> {
        let concerns = |rule: &Rule| Some((rule.info.clone(), rule.scope.concerns(agent, team)?));
        let mut all: Vec<_> = self.tables().flat_map(Table::rules).filter_map(concerns).collect();
        all.sort_by(|(a, _), (b, _)| (a.layer, &a.file, a.line).cmp(&(b.layer, &b.file, b.line)));
        all
    }
}

/// What a standing approval lifts in vain: rules that are gone, or whose owner does not let them be lifted.
fn idle<'a>(approval: &'a Rule, rules: &'a [Rule]) -> impl Iterator<Item = Problem> + 'a {
    let lifted = approval.info.lifts.iter().filter(|id| id.as_str() != DEFAULT_ASK);
    lifted.filter_map(|id| {
        let why = match rules.iter().find(|rule| rule.info.id == *id) {
            Some(rule) if rule.info.liftable => return None,
            Some(_) => "its owner does not let it be lifted",
            None => "there is no such rule",
        };
        let message = format!("`{}` does not lift `{id}`: {why}", approval.info.id);
        Some(Problem { file: approval.info.file.clone(), line: approval.info.line, column: 1, length: 0, message })
    })
}

impl OwnRules {
    fn of(preset: Preset) -> Result<Self, PolicyError> {
        let default = match preset {
            Preset::Balanced => DEFAULT_ASK,
            Preset::Strict => DEFAULT_DENY,
        };
        let parse = |id: &str| {
            RuleId::parse(id).map_err(|error| {
                let message = error.to_string();
                PolicyError::Policy(vec![Problem { file: String::new(), line: 0, column: 0, length: 0, message }])
            })
        };
        Ok(Self { default: parse(default)?, evaluation_error: parse(EVALUATION_ERROR)? })
    }
}

/// Separated by their lengths, so that moving text between files changes it too.
fn revision(preset: Preset, sources: &[Source]) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    field(&format!("{preset:?}"));
    field(crate::schema::SCHEMA);
    for source in sources {
        field(&format!("{:?}", source.layer));
        field(&source.file);
        field(&source.text);
    }
    let hex = hex::encode(hash.finalize());
    hex.chars().take(12).collect()
}
