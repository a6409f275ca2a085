//! Questions that nobody answered in time, by the operations that waited for them.

use reeve_domain::approval::{Approval, Resolution};
use reeve_domain::id::{ApprovalId, OperationId};

use crate::Engine;
use crate::error::EngineError;

impl Engine {
    /// The question that this operation waited for in vain. `None`: it was turned away for another reason.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn unanswered(&self, operation: &OperationId) -> Result<Option<ApprovalId>, EngineError> {
        let row = self.store().operation(operation).await?;
        let Some(id) = row.and_then(|row| row.approval) else { return Ok(None) };
        let approval = self.store().approval(&id).await?;
        let is_over = |approval: &Approval| {
            approval.resolved.as_ref().is_some_and(|resolved| resolved.resolution == Resolution::Expired)
        };
        Ok(approval.filter(is_over).map(|approval| approval.id))
    }
}
