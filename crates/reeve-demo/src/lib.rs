//! The shipped provider that speaks the four dialects over TLS on loopback, and the scripted agent.
