//! Slices: for each kind of request the few rules that can concern it, as a Cedar set of their own.
//! A table finds them by index; equal choices share one slice.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{EntityUid, PolicyId, PolicySet};
use reeve_domain::id::RuleId;
use reeve_domain::operation::Action;

use crate::facts::{Fact, facts_of};
use crate::scope::Lineage;
use crate::source::Rule;

/// Most slices and prepared requests remembered; hosts are chosen by agents, so there is no natural end to them.
pub(crate) const REMEMBERED: usize = 1024;

/// Rules that can concern one kind of request.
pub(crate) struct Slice {
    pub set: PolicySet,
    /// Facts that these rules read.
    pub facts: Vec<&'static Fact>,
    /// Indices in the table, in order.
    pub members: Vec<u32>,
}

impl Slice {
    /// Rules of one file set never share an id; one that did would be left out, which `check` makes impossible.
    pub fn new<'a>(action: Action, members: Vec<u32>, rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        let mut set = PolicySet::new();
        let mut read = BTreeSet::new();
        let mut whole = false;
        for rule in rules {
            if set.add(rule.policy.clone()).is_ok() {
                read.extend(rule.reading.facts.iter().map(String::as_str));
                whole |= rule.reading.whole;
            }
        }
        let facts = facts_of(action).filter(|fact| whole || read.contains(fact.name)).collect();
        Self { set, facts, members }
    }
}

/// Rules with an index over what bounds them.
pub(crate) struct Table {
    rules: Vec<Rule>,
    by_id: HashMap<PolicyId, u32>,
    bound: HashMap<EntityUid, Vec<u32>>,
    free: Vec<u32>,
    slices: RwLock<HashMap<(Action, Vec<u32>), Arc<Slice>>>,
}

impl Table {
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut bound: HashMap<EntityUid, Vec<u32>> = HashMap::new();
        let mut free = Vec::new();
        let mut by_id = HashMap::new();
        for (index, rule) in (0..).zip(&rules) {
            by_id.insert(rule.policy.id().clone(), index);
            match rule.scope.resources() {
                Some(uids) => uids.iter().for_each(|uid| bound.entry(uid.clone()).or_default().push(index)),
                None => free.push(index),
            }
        }
        Self { rules, by_id, bound, free, slices: RwLock::default() }
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub fn rule(&self, index: u32) -> Option<&Rule> {
        self.rules.get(index as usize)
    }

    pub fn index(&self, id: &PolicyId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub fn named(&self, id: &RuleId) -> Option<&Rule> {
        self.index(&PolicyId::new(id.as_str())).and_then(|index| self.rule(index))
    }

    pub fn picked<'a>(&'a self, indices: &'a [u32]) -> impl Iterator<Item = &'a Rule> {
        indices.iter().filter_map(|index| self.rule(*index))
    }

    /// The slice for a request.
    pub fn slice(&self, action: Action, lineages: [&Lineage; 3]) -> Arc<Slice> {
        let [principal, verb, resource] = lineages;
        let bound = resource.iter().filter_map(|uid| self.bound.get(uid)).flatten();
        let chosen: BTreeSet<u32> = bound
            .chain(&self.free)
            .copied()
            .filter(|index| self.rule(*index).is_some_and(|rule| rule.scope.admits(principal, verb, resource)))
            .collect();
        self.slice_of(action, chosen.into_iter().collect())
    }

    /// The slice of these rules, built once.
    fn slice_of(&self, action: Action, members: Vec<u32>) -> Arc<Slice> {
        let key = (action, members);
        if let Some(slice) = self.slices.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(slice);
        }
        let slice = Arc::new(Slice::new(action, key.1.clone(), self.picked(&key.1)));
        let mut slices = self.slices.write().unwrap_or_else(PoisonError::into_inner);
        if slices.len() >= REMEMBERED {
            slices.clear();
        }
        slices.insert(key, Arc::clone(&slice));
        slice
    }

    /// Every rule, as one slice.
    pub fn whole(&self, action: Action) -> Arc<Slice> {
        self.slice_of(action, (0..).zip(&self.rules).map(|(index, _)| index).collect())
    }
}
