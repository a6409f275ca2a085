//! Where a credential may go: places are added, given other agents, exchanged and taken away. A place that was taken away
//! gets nothing from the next request on; a request that is under way keeps what it has.

use reeve_domain::credential::{Binding, Credential, Place};
use reeve_domain::event::EventBody;
use reeve_domain::id::CredentialId;
use reeve_domain::path::RequestPath;

use super::{Credentials, contested};
use crate::error::EngineError;

impl Credentials {
    /// Adds a place. One that is there already in the same slot is for these agents from now on.
    ///
    /// # Errors
    /// When there is no such credential, an agent would now find two credentials in one variable or have this one in two
    /// slots at one place, or it cannot be recorded.
    pub async fn bind(&self, id: &CredentialId, binding: Binding) -> Result<(), EngineError> {
        let _alone = self.changing.lock().await;
        let credential = self.get(id)?;
        let at = credential.bindings.iter().position(|known| same(known, &binding));
        self.put(&credential, at, binding).await
    }

    /// Exchanges a place for another, or its agents. Which one is meant: place and slot of `before`, whose agents say
    /// nothing.
    ///
    /// # Errors
    /// As [`Self::bind`], and when there is no such place.
    pub async fn rebind(&self, id: &CredentialId, before: &Binding, binding: Binding) -> Result<(), EngineError> {
        let _alone = self.changing.lock().await;
        let credential = self.get(id)?;
        let at = credential.bindings.iter().position(|known| same(known, before));
        if at.is_none() {
            return Err(unknown(before));
        }
        self.put(&credential, at, binding).await
    }

    /// Takes a place away. Which one is meant: place and slot of `gone`, whose agents say nothing. The credential stays, if
    /// need be without a place.
    ///
    /// # Errors
    /// When there is no such credential or place, or it cannot be recorded.
    pub async fn unbind(&self, id: &CredentialId, gone: &Binding) -> Result<(), EngineError> {
        let _alone = self.changing.lock().await;
        let mut credential = self.get(id)?;
        let before = credential.bindings.len();
        credential.bindings.retain(|known| !same(known, gone));
        if credential.bindings.len() == before {
            return Err(unknown(gone));
        }
        let event = EventBody::CredentialUnbound { credential: id.clone(), place: gone.place.to_string() };
        self.remember(&credential, [event]).await
    }

    /// Puts a place where the one at `at` was, else behind the others: of two that cover a request the first is used.
    async fn put(&self, was: &Credential, at: Option<usize>, binding: Binding) -> Result<(), EngineError> {
        let mut credential = was.clone();
        let places = &mut credential.bindings;
        let before = at.and_then(|at| was.bindings.get(at)).filter(|before| !same(before, &binding));
        let goes = |known: &Binding| same(known, &binding) || before.is_some_and(|before| same(known, before));
        let at = places.iter().take(at.unwrap_or(places.len())).filter(|known| !goes(known)).count();
        places.retain(|known| !goes(known));
        let (first, last) = places.split_at(at.min(places.len()));
        if first.iter().any(|known| hides(known, &binding)) || last.iter().any(|known| hides(&binding, known)) {
            return Err(EngineError::Refused(format!(
                "`{}` goes to {}:{} in another slot already, and a request carries it in one: remove that place first, or \
                 name other agents",
                was.id, binding.place.host, binding.place.port
            )));
        }
        let mut events = Vec::new();
        if let Some(before) = before {
            let place = before.place.to_string();
            events.push(EventBody::CredentialUnbound { credential: was.id.clone(), place });
        }
        let place = binding.place.to_string();
        events.push(EventBody::CredentialBound { credential: was.id.clone(), place });
        places.insert(at, binding);
        let mut others = self.list().into_iter().filter(|other| other.id != was.id && contested(other, was).is_none());
        if let Some((variable, other)) = others.find_map(|other| contested(&other, &credential)) {
            return Err(EngineError::Refused(format!(
                "`{variable}` already carries `{other}` for an agent that this is for: remove that one, or name other agents"
            )));
        }
        self.remember(&credential, events).await
    }
}

fn unknown(binding: &Binding) -> EngineError {
    EngineError::NotFound { what: "place", name: format!("{}, {}", binding.place, binding.slot) }
}

/// The same place in the same slot, for whomever.
fn same(one: &Binding, other: &Binding) -> bool {
    let Place { host, port, methods, path } = &one.place;
    let theirs = &other.place;
    let within = |these: &[String], those: &[String]| these.iter().all(|method| those.contains(method));
    one.slot == other.slot
        && (host, port, path) == (&theirs.host, &theirs.port, &theirs.path)
        && within(methods, &theirs.methods)
        && within(&theirs.methods, methods)
}

/// Whether one that comes first leaves nothing to another that puts the secret into another slot.
fn hides(first: &Binding, then: &Binding) -> bool {
    let (one, other) = (&first.place, &then.place);
    let path = match (&one.path, &other.path) {
        (None, _) => true,
        (Some(prefix), Some(path)) => RequestPath::parse(path).is_ok_and(|path| path.starts_with_segments(prefix)),
        (Some(_), None) => false,
    };
    first.slot != then.slot
        && (&one.host, one.port) == (&other.host, other.port)
        && path
        && all_of(&one.methods, &other.methods)
        && all_of(&first.agents, &then.agents)
}

/// Whether a list has all that another one has; an empty one means everything.
fn all_of<T: PartialEq>(list: &[T], other: &[T]) -> bool {
    list.is_empty() || (!other.is_empty() && other.iter().all(|one| list.contains(one)))
}
