//! The YAML dialect: how much, where Cedar says whether.

pub mod limits;
pub mod tools;
