//! The commands of the house: start, ci and its checks.

fn main() {}
