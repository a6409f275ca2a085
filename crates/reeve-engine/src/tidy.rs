//! What of a person's own rules, modes and secrets may be worth a look: rules that nothing used, rules wider than their use,
//! a time of observing that has shown enough, secrets that are old. Shown; never done by itself.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use reeve_domain::query::{self, Decided, Key};
use reeve_domain::settings::Mode;
use reeve_domain::verdict::Layer;
use reeve_policy::{RuleInfo, RuleKind, RuleMode};

use crate::Engine;
use crate::error::EngineError;
use crate::history::Suggestion;

/// How far back use is looked for.
const WINDOW_DAYS: i64 = 30;
/// So often a rule must have decided before its use says anything.
const ENOUGH: u64 = 20;
/// Rules whose use is looked at in detail, the most used first.
const MOST_LOOKED_AT: usize = 50;
/// So long everything was only observed before that has shown anything.
const OBSERVED_HOURS: i64 = 24;
/// What was found is good for so long: counting a month is work.
const GOOD_MINUTES: i64 = 10;

/// What was found, when and of which rules.
#[derive(Debug, Default)]
pub(crate) struct Found(tokio::sync::Mutex<Option<(DateTime<Utc>, String, Vec<Suggestion>)>>);

impl Engine {
    /// Rules, modes and secrets that may be worth a look.
    ///
    /// # Errors
    /// When the record or the versions of the rules cannot be read.
    pub(crate) async fn tidying(&self) -> Result<Vec<Suggestion>, EngineError> {
        let now = self.now();
        let mut found = self.rules_found(now).await?;
        found.extend(self.observed_enough(now).await?);
        found.extend(self.old_secrets(now));
        Ok(found)
    }

    async fn rules_found(&self, now: DateTime<Utc>) -> Result<Vec<Suggestion>, EngineError> {
        let in_force = self.policies().in_force();
        let revision = in_force.set.revision();
        let mut kept = self.tidy().0.lock().await;
        if let Some((at, of, found)) = kept.as_ref()
            && *of == revision
            && (now - *at).num_minutes().abs() < GOOD_MINUTES
        {
            return Ok(found.clone());
        }
        let own: Vec<RuleInfo> = in_force.set.rules().into_iter().filter(|rule| rule.layer == Layer::Mine).collect();
        let since = now - Duration::days(WINDOW_DAYS);
        let hits: HashMap<String, u64> = self.store().rule_hits(since).await?.into_iter().collect();
        let mut found = self.unused(&own, &hits, since).await?;
        found.extend(self.wider_than_used(own, &hits).await?);
        *kept = Some((now, revision.to_owned(), found.clone()));
        Ok(found)
    }

    /// Rules that stood here before the window began and decided nothing within it.
    async fn unused(
        &self,
        own: &[RuleInfo],
        hits: &HashMap<String, u64>,
        since: DateTime<Utc>,
    ) -> Result<Vec<Suggestion>, EngineError> {
        let recorded = self.store().recorded_since().await?;
        if own.is_empty() || recorded.is_none_or(|first| first > since) {
            return Ok(Vec::new());
        }
        let versions = self.policies().versions()?;
        let before: Vec<&str> = versions
            .iter()
            .filter(|version| version.at <= since)
            .flat_map(|version| version.files.iter().filter_map(|file| file.after.as_deref()))
            .collect();
        let idle = own.iter().filter(|rule| {
            let named = format!("@id(\"{}\")", rule.id);
            !hits.contains_key(rule.id.as_str()) && before.iter().any(|text| text.contains(&named))
        });
        let days = u32::try_from(WINDOW_DAYS).unwrap_or_default();
        Ok(idle
            .map(|rule| Suggestion::Unused { rule: rule.id.to_string(), reason: rule.reason.clone(), days })
            .collect())
    }

    /// Permissions for more agents or more addresses than ever used them.
    async fn wider_than_used(
        &self,
        own: Vec<RuleInfo>,
        hits: &HashMap<String, u64>,
    ) -> Result<Vec<Suggestion>, EngineError> {
        let times = |rule: &RuleInfo| hits.get(rule.id.as_str()).copied().unwrap_or(0);
        let permits = |rule: &RuleInfo| {
            matches!(rule.kind, RuleKind::Permit | RuleKind::Standing) && rule.mode == RuleMode::Enforce
        };
        let mut used: Vec<RuleInfo> = own.into_iter().filter(|rule| permits(rule) && times(rule) >= ENOUGH).collect();
        used.sort_by(|a, b| times(b).cmp(&times(a)).then_with(|| a.id.cmp(&b.id)));
        let mut found = Vec::new();
        for rule in used.into_iter().take(MOST_LOOKED_AT) {
            let named = rule.text.contains("principal ==") || rule.text.contains("principal in");
            let agent = if named { None } else { self.only_value(&rule, Key::Agent).await? };
            let web = rule.text.contains("\"http.request\"") && !rule.text.contains("context.path ==");
            let path = if web { self.only_value(&rule, Key::Path).await? } else { None };
            if agent.is_some() || path.is_some() {
                let (times, reason) = (times(&rule), rule.reason);
                found.push(Suggestion::Tighten { rule: rule.id.to_string(), reason, times, agent, path });
            }
        }
        Ok(found)
    }

    /// The value of a key that everything has which the rule decided; none where there are several.
    async fn only_value(&self, rule: &RuleInfo, key: Key) -> Result<Option<String>, EngineError> {
        let query = query::parse(&format!("rule:{} since:{WINDOW_DAYS}d", rule.id)).query;
        let found = self.store().values(&query, key, "").await?;
        Ok(match found.values.as_slice() {
            [one] if !found.capped => Some(one.value.clone()),
            _ => None,
        })
    }

    async fn observed_enough(&self, now: DateTime<Utc>) -> Result<Option<Suggestion>, EngineError> {
        let since = now - Duration::hours(OBSERVED_HOURS);
        let recorded = self.store().recorded_since().await?;
        let holds = self.protection().configured_since().is_none_or(|begun| begun <= since);
        if self.protection().configured() != Mode::Observe || !holds || recorded.is_none_or(|first| first > since) {
            return Ok(None);
        }
        let observed = format!("is:observed since:{OBSERVED_HOURS}h");
        let facets = self.store().facets(&query::parse(&observed).query).await?;
        if facets.matches == 0 {
            return Ok(None);
        }
        let decided = facets.groups.iter().find(|group| group.key == Key::Decision.as_str());
        let count = |decision: Decided| {
            let mut values = decided.into_iter().flat_map(|group| &group.values);
            values.find(|value| value.value == decision.as_str()).map_or(0, |value| value.count)
        };
        let (held, denied) = (count(Decided::WouldHold), count(Decided::WouldDeny));
        let (actions, capped) = (facets.matches, facets.capped);
        Ok(Some(Suggestion::ReadyToEnforce { actions, held, denied, capped }))
    }

    fn old_secrets(&self, now: DateTime<Utc>) -> Vec<Suggestion> {
        let due = |one: &reeve_domain::credential::Credential| one.rotation_due().is_some_and(|due| due <= now);
        let old = self.credentials().list().into_iter().filter(due);
        old.map(|one| Suggestion::Rotate {
            days: u32::try_from((now - one.set_at()).num_days()).unwrap_or_default(),
            credential: one.id.to_string(),
            name: one.name,
        })
        .collect()
    }
}
