//! The terminal shell of Reeve.

fn main() {}
