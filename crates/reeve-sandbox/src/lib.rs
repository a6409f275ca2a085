//! The envelope of an agent: tools, environment, trust, child process.
