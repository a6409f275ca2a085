//! One recorded operation judged again: by the rules in force, and by a draft.

use std::sync::Arc;

use reeve_domain::id::OperationId;
use reeve_domain::operation::Operation;
use reeve_domain::verdict::Verdict;
use reeve_policy::{Explanation, PolicySet};

use super::replay::circumstances;
use crate::Engine;
use crate::error::EngineError;

/// What was decided, what would be decided now, and what a draft would decide.
#[derive(Debug, Clone)]
pub struct WhatIf {
    pub operation: Operation,
    /// As it was recorded.
    pub recorded: Verdict,
    /// By the rules in force, at the time and under the circumstances of the operation.
    pub now: Explanation,
    /// By the draft, likewise.
    pub draft: Option<Explanation>,
}

impl Engine {
    /// Judges a recorded operation again. Answers remembered for a session or a while do not count.
    ///
    /// # Errors
    /// When there is no such operation, it was refused before any rule was asked, or the record cannot be read.
    pub async fn what_if(&self, id: &OperationId, draft: Option<Arc<PolicySet>>) -> Result<WhatIf, EngineError> {
        let found = self.store().judged_operation(id).await?;
        let judged = found.ok_or_else(|| EngineError::NotFound { what: "judged action", name: id.to_string() })?;
        let circumstances = circumstances(&judged);
        let explain = |set: &PolicySet| set.explain(&judged.operation, &circumstances);
        Ok(WhatIf {
            now: explain(&self.policies().in_force().set),
            draft: draft.map(|set| explain(&set)),
            recorded: judged.verdict,
            operation: judged.operation,
        })
    }
}
