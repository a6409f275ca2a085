//! Values that must never be printed, logged, serialised or compared by accident.

use zeroize::{Zeroize as _, Zeroizing};

/// A secret in memory: wiped when dropped, no `Display`, no `Serialize`, and a `Debug` that says nothing.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Call it only where they are put into a slot, sought or stored.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Overwrites a text that held a secret, as far as this allocation reaches; copies made before are not known here.
pub fn wipe(text: &mut String) {
    text.zeroize();
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_secret_says_nothing() {
        let secret = Secret::from("sk-live-123".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.expose(), b"sk-live-123");
    }
}
