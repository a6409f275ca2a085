//! Bytes of each provider to operations and usage, denials back to bytes.
