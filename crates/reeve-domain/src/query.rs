//! The query grammar of the timeline: one parser for command line and console.
