//! What a person marks an action with for themselves: a pin, and a note. Recorded like everything else, so that it is found
//! again after the rows were made anew.

use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::OperationId;

use crate::Engine;
use crate::error::EngineError;

/// Most characters of a note.
pub const LONGEST_NOTE: usize = 2_000;

impl Engine {
    /// Pins an operation or not, and gives it this note or none. Where both are so already, nothing is recorded.
    ///
    /// # Errors
    /// When there is no such operation, the note is too long or holds control characters, or it cannot be recorded.
    pub async fn annotate(
        &self,
        id: &OperationId,
        pinned: bool,
        note: Option<String>,
        by: &str,
    ) -> Result<(), EngineError> {
        let unknown = || EngineError::NotFound { what: "action", name: id.to_string() };
        let row = self.store().operation(id).await?.ok_or_else(unknown)?;
        let note = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
        if let Some(note) = &note {
            let odd = note.chars().any(|c| c.is_control() && c != '\n');
            if odd || note.chars().count() > LONGEST_NOTE {
                return Err(EngineError::Refused(format!("a note is plain text of at most {LONGEST_NOTE} characters")));
            }
        }
        if row.pinned == pinned && row.note == note {
            return Ok(());
        }
        let body = EventBody::OperationMarked { pinned, note, by: by.to_owned() };
        let (agent, session) = (Some(row.agent), Some(row.session));
        self.gate().record(Draft { agent, session, operation: Some(id.clone()), body }).await
    }
}
