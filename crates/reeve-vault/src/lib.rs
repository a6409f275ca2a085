//! Where secrets rest: keychain, encrypted file or memory, behind one trait.
