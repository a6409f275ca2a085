//! The hash chain over events: canonical bytes, links, seals, and a verifier that is a pure function.
