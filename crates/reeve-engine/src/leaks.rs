//! The leak guard: finds placeholders and held secrets on their way out, in every sought form, also across chunks.

use std::ops::ControlFlow;
use std::sync::Arc;

use reeve_domain::id::CredentialId;
use reeve_domain::sensitive::Secret;
use reeve_domain::sought::{Sought, State};

/// What was sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoughtKind {
    /// The decoy that agents hold.
    Placeholder,
    /// The secret itself.
    Secret,
}

/// A placeholder or secret found in bytes that would leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    pub credential: CredentialId,
    pub kind: SoughtKind,
}

impl Leak {
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.kind == SoughtKind::Placeholder
    }
}

/// Seeks every placeholder and secret of a session. Cheap to clone; wiped with its last clone.
#[derive(Debug, Clone)]
pub struct LeakGuard(Arc<Sought<Leak>>);

/// Seeks nothing.
impl Default for LeakGuard {
    fn default() -> Self {
        Self::new([])
    }
}

impl LeakGuard {
    pub fn new(sought: impl IntoIterator<Item = (CredentialId, SoughtKind, Secret)>) -> Self {
        let sought: Vec<_> = sought.into_iter().collect();
        let owned =
            sought.iter().map(|(credential, kind, text)| (Leak { credential: credential.clone(), kind: *kind }, text));
        Self(Arc::new(Sought::new(owned)))
    }

    /// The first leak in these bytes.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<Leak> {
        self.stream().feed(bytes)
    }

    /// Every credential and kind found in these bytes, each once, in the order in which they end. What a placeholder's
    /// own place may hold is for the caller to judge.
    #[must_use]
    pub fn find_all(&self, bytes: &[u8]) -> Vec<Leak> {
        let mut found = Vec::new();
        self.0.scan(State::default(), bytes, |hit| {
            if !found.contains(hit.owner) {
                found.push(hit.owner.clone());
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// A scan over a body that comes in chunks.
    #[must_use]
    pub fn stream(&self) -> LeakStream {
        LeakStream { guard: self.clone(), state: State::default() }
    }
}

/// One body being scanned.
#[derive(Debug)]
pub struct LeakStream {
    guard: LeakGuard,
    state: State,
}

impl LeakStream {
    /// The first leak that ends in this chunk, wherever it began. After one the stream is of no more use.
    pub fn feed(&mut self, chunk: &[u8]) -> Option<Leak> {
        let mut found = None;
        self.state = self.guard.0.scan(self.state, chunk, |hit| {
            found = Some(hit.owner.clone());
            ControlFlow::Break(())
        });
        found
    }

    /// As [`feed`](Self::feed), passing over what `may_pass` lets pass.
    pub fn feed_unless(&mut self, chunk: &[u8], may_pass: impl Fn(&Leak) -> bool) -> Option<Leak> {
        let mut found = None;
        self.state = self.guard.0.scan(self.state, chunk, |hit| {
            if may_pass(hit.owner) {
                return ControlFlow::Continue(());
            }
            found = Some(hit.owner.clone());
            ControlFlow::Break(())
        });
        found
    }

    /// The same scan at its beginning.
    #[must_use]
    pub fn afresh(&self) -> Self {
        self.guard.stream()
    }

    /// How many of the bytes fed last may be the beginning of a leak. They must not leave before the next chunk or the
    /// end has shown that they are not.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.guard.0.pending(self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leak(id: &str, kind: SoughtKind) -> Leak {
        Leak { credential: CredentialId::parse(id).unwrap(), kind }
    }

    fn guard() -> LeakGuard {
        let github = CredentialId::parse("github").unwrap();
        let other = CredentialId::parse("other").unwrap();
        LeakGuard::new([
            (github.clone(), SoughtKind::Placeholder, Secret::from("github_pat_reeve-0011".to_owned())),
            (github, SoughtKind::Secret, Secret::from("github_pat_REAL12345".to_owned())),
            (other, SoughtKind::Secret, Secret::from("sk-other-secret-1".to_owned())),
        ])
    }

    #[test]
    fn placeholders_and_secrets_are_found_and_told_apart() {
        assert_eq!(guard().find(b"token=github_pat_reeve-0011&x=1"), Some(leak("github", SoughtKind::Placeholder)));
        assert_eq!(guard().find(b"{\"t\":\"github_pat_REAL12345\"}"), Some(leak("github", SoughtKind::Secret)));
        assert_eq!(guard().find(b"{\"t\":\"github_pat_\"}"), None);
        assert!(guard().find(b"github_pat_reeve-0011").is_some_and(|leak| leak.is_placeholder()));
    }

    #[test]
    fn encoded_secrets_are_found() {
        // Base64 of `x:sk-other-secret-1`, and the hex of the secret.
        assert_eq!(guard().find(b"Basic eDpzay1vdGhlci1zZWNyZXQtMQ=="), Some(leak("other", SoughtKind::Secret)));
        assert_eq!(guard().find(b"736b2d6f746865722d7365637265742d31"), Some(leak("other", SoughtKind::Secret)));
    }

    #[test]
    fn a_secret_over_a_chunk_border_is_found_and_its_beginning_can_be_held_back() {
        let mut stream = guard().stream();
        assert_eq!(stream.feed(b"body sk-other-"), None);
        assert_eq!(stream.pending(), "sk-other-".len());
        assert_eq!(stream.feed(b"secret-1 rest"), Some(leak("other", SoughtKind::Secret)));
    }

    #[test]
    fn all_that_is_found_is_named_once() {
        let all = guard().find_all(b"github_pat_reeve-0011 sk-other-secret-1 github_pat_reeve-0011");
        assert_eq!(all, [leak("github", SoughtKind::Placeholder), leak("other", SoughtKind::Secret)]);
    }
}
