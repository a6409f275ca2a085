//! `cargo xtask tidy`: rules of the house that no other tool holds. Every finding is printed, with the file and the rule.

use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

use crate::process::{command, output};

/// Lines of a Rust or TypeScript file; of a component of the console.
const LONGEST: usize = 800;
const LONGEST_COMPONENT: usize = 400;
/// Lines of the comment that opens a Rust file.
const LONGEST_OPENING: usize = 5;

/// Names that say nothing about what is inside.
const FORBIDDEN: [&str; 9] = ["utils", "util", "helpers", "helper", "common", "manager", "service", "misc", "mod.rs"];

/// Folders whose files are generated or recorded.
const NOT_OURS: [&str; 8] =
    ["recorded", "bindings", "testdata", "snapshots", "corpus", "fixtures", "gen", "fuzz-corpus"];

pub fn run() -> Result<()> {
    // New files count before they are committed.
    let listed = output(&mut command("git", &["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut findings = Vec::new();
    let mut looked_at = 0;
    for path in listed.lines().map(Path::new).filter(|path| !is_generated(path)) {
        check_name(path, &mut findings);
        if let Ok(target) = std::fs::read_link(path) {
            check_reach(path, &target.to_string_lossy(), &mut findings);
            continue;
        }
        // Pictures and fonts are not text; deleted but not yet committed files are not there.
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        looked_at += 1;
        check_text(path, &text, &mut findings);
    }
    if findings.is_empty() {
        println!("tidy: {looked_at} files");
        return Ok(());
    }
    for finding in &findings {
        println!("{finding}");
    }
    bail!("tidy: {} findings", findings.len());
}

fn is_generated(path: &Path) -> bool {
    path.components().any(|part| NOT_OURS.iter().any(|name| part.as_os_str() == *name))
}

fn check_name(path: &Path, findings: &mut Vec<String>) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let stem = name.split('.').next().unwrap_or(name);
    let code = [".rs", ".ts", ".tsx"].iter().any(|end| name.ends_with(end));
    if code && FORBIDDEN.iter().any(|word| *word == name || *word == stem) {
        findings
            .push(format!("{}: the name says nothing about what is inside; call it after the thing", path.display()));
    }
}

fn check_text(path: &Path, text: &str, findings: &mut Vec<String>) {
    let name = path.to_string_lossy();
    if name.ends_with(".rs") || name.ends_with(".ts") || name.ends_with(".tsx") {
        let most = if name.ends_with(".tsx") && !name.contains(".test.") { LONGEST_COMPONENT } else { LONGEST };
        let lines = text.lines().count();
        if lines > most {
            findings.push(format!("{name}: {lines} lines, at most {most}; cut it where the subject changes"));
        }
    }
    if name.ends_with(".rs") {
        check_opening(&name, text, findings);
        for reached in included(text) {
            check_reach(path, &reached, findings);
        }
    }
    if name.ends_with("Cargo.toml") {
        check_manifest(&name, text, findings);
        for reached in quoted_after(text, "path = \"") {
            check_reach(path, &reached, findings);
        }
    }
    if [".ts", ".tsx", ".mjs", ".js"].iter().any(|end| name.ends_with(end)) {
        for reached in quoted_after(text, "from \"../").chain(quoted_after(text, "import(\"../")) {
            check_reach(path, &format!("../{reached}"), findings);
        }
    }
    if name.ends_with(".md") {
        for reached in bracketed_links(text) {
            check_reach(path, &reached, findings);
        }
    }
}

/// Every Rust file opens with `//!`, or with a comment where it is included elsewhere, of one to five lines.
fn check_opening(name: &str, text: &str, findings: &mut Vec<String>) {
    let opening = text.lines().take_while(|line| line.starts_with("//")).count();
    if opening == 0 {
        findings.push(format!("{name}: opens without a comment that says what the file is for"));
    }
    // One blank `//!` may part a first paragraph from details that belong to the reader of the documentation.
    let paragraph = text.lines().take_while(|line| line.starts_with("//") && line.trim_end() != "//!").count();
    if paragraph > LONGEST_OPENING {
        findings.push(format!("{name}: the opening comment has {paragraph} lines, at most {LONGEST_OPENING}"));
    }
}

/// Every member takes the lints of the house.
fn check_manifest(name: &str, text: &str, findings: &mut Vec<String>) {
    let is_package = text.lines().any(|line| line.trim() == "[package]");
    let takes_lints = text
        .lines()
        .skip_while(|line| line.trim() != "[lints]")
        .nth(1)
        .is_some_and(|line| line.split_whitespace().collect::<String>() == "workspace=true");
    if is_package && !takes_lints {
        findings.push(format!("{name}: has no `[lints]` with `workspace = true`"));
    }
}

/// The files that a Rust file pulls in by name.
fn included(text: &str) -> impl Iterator<Item = String> {
    ["include_str!(\"", "include_bytes!(\"", "include!(\"", "#[path = \""]
        .into_iter()
        .flat_map(move |start| quoted_after(text, start))
}

/// Each quoted text that begins right after `start`.
fn quoted_after<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = String> + 'a {
    text.lines()
        .filter_map(move |line| line.split_once(start))
        .filter_map(|(_, rest)| rest.split('"').next())
        .map(str::to_owned)
}

/// Targets of Markdown links that lead up.
fn bracketed_links(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("](../").filter_map(|(at, _)| {
        let rest = text.get(at + 2..)?;
        Some(rest.split([')', '#', ' ']).next()?.to_owned())
    })
}

/// A clone stands alone: nothing may name a file above the root of the repository, or an absolute one.
fn check_reach(from: &Path, to: &str, findings: &mut Vec<String>) {
    let inside = !Path::new(to).is_absolute()
        && stays_inside(&from.parent().map_or(PathBuf::from(to), |folder| folder.join(to)));
    if !inside {
        findings.push(format!("{}: reaches outside the repository: {to}", from.display()));
    }
}

fn stays_inside(path: &Path) -> bool {
    let mut depth = 0_usize;
    for part in path.components() {
        match part {
            Component::ParentDir => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check_name(Path::new(path), &mut found);
        check_text(Path::new(path), text, &mut found);
        found
    }

    #[test]
    fn a_tidy_file_has_no_findings() {
        assert!(findings("crates/a/src/lib.rs", "//! What it is for.\n\nuse x;\n").is_empty());
        assert!(findings("crates/a/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = true\n").is_empty());
    }

    #[test]
    fn a_file_without_an_opening_comment_or_with_an_essay_is_found() {
        assert_eq!(findings("a.rs", "use x;\n").len(), 1);
        assert_eq!(findings("a.rs", &"//! line\n".repeat(6)).len(), 1);
        assert!(findings("a.rs", &format!("{}//!\n{}", "//! line\n".repeat(5), "//! more\n".repeat(9))).is_empty());
    }

    #[test]
    fn long_files_are_found_and_components_sooner() {
        let text = format!("// x\n{}", "a\n".repeat(500));
        assert!(findings("ui/src/a.ts", &text).is_empty());
        assert_eq!(findings("ui/src/a.tsx", &text).len(), 1);
        assert!(findings("ui/src/a.test.tsx", &text).is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for name in ["src/utils.rs", "src/a/mod.rs", "ui/src/helpers.ts"] {
            assert_eq!(findings(name, "//! x\n").len(), 1, "{name}");
        }
        assert!(findings("src/model.rs", "//! x\n").is_empty());
    }

    #[test]
    fn a_member_without_the_lints_of_the_house_is_found() {
        assert_eq!(findings("crates/a/Cargo.toml", "[package]\nname = \"a\"\n").len(), 1);
        assert!(findings("Cargo.toml", "[workspace]\n").is_empty());
    }

    #[test]
    fn whatever_leads_out_of_the_repository_is_found() {
        let outside = [
            ("crates/a/Cargo.toml", "[dependencies]\nx = { path = \"../../../x\" }\n".to_owned()),
            ("crates/a/src/lib.rs", format!("//! x\nconst A: &str = include_str!(\"{}\");\n", "../../../../x")),
            ("crates/a/src/lib.rs", format!("//! x\nconst A: &str = include_str!(\"{}\");\n", "/etc/hosts")),
            ("ui/src/a.ts", "// x\nimport a from \"../../../x\";\n".to_owned()),
            ("docs/a.md", "see [x](../../x.md)\n".to_owned()),
        ];
        for (path, text) in outside {
            assert_eq!(findings(path, &text).len(), 1, "{path}: {text}");
        }
        assert!(findings("docs/adr/a.md", "see [x](../../README.md#top)\n").is_empty());
        assert!(
            findings("crates/a/src/lib.rs", "//! x\nconst A: &str = include_str!(\"../../../data/x\");\n").is_empty()
        );
    }
}
