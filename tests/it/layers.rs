//! The grid of ARCHITECTURE.md, held over `cargo metadata`: which floor may see which, who owns which outside crate, which
//! licences may come in, what is banned, and the oldest versions that are free of known holes.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Every package of ours and the packages of ours that its code may use. One without a row fails.
const ARROWS: &[(&str, &[&str])] = &[
    ("reeve-domain", &[]),
    ("reeve-policy", &["reeve-domain"]),
    ("reeve-protocol", &["reeve-domain"]),
    ("reeve-store", &["reeve-domain"]),
    ("reeve-vault", &["reeve-domain"]),
    ("reeve-engine", &["reeve-domain", "reeve-policy", "reeve-store", "reeve-vault"]),
    ("reeve-proxy", &["reeve-domain", "reeve-protocol", "reeve-engine"]),
    ("reeve-mcp", &["reeve-domain", "reeve-protocol", "reeve-engine"]),
    ("reeve-sandbox", &["reeve-domain", "reeve-protocol", "reeve-engine", "reeve-proxy", "reeve-mcp"]),
    ("reeve-demo", &["reeve-domain", "reeve-protocol"]),
    (
        "reeve-api",
        &[
            "reeve-domain",
            "reeve-policy",
            "reeve-protocol",
            "reeve-store",
            "reeve-vault",
            "reeve-engine",
            "reeve-proxy",
            "reeve-mcp",
            "reeve-sandbox",
            "reeve-demo",
        ],
    ),
    ("reeve-cli", &["reeve-api"]),
    ("reeve-desktop", &["reeve-api"]),
    ("xtask", &[]),
];

/// Packages that only test and measure: they may use anything, and nothing that ships may use them.
const HARNESS: &[&str] = &["reeve-testkit", "reeve-tests", "reeve-bench", "reeve-fuzz"];

/// Outside crates that belong to certain floors; all others are free. Tests may use what they need.
const OWNERS: &[(&str, &[&str])] = &[
    ("rusqlite", &["reeve-store"]),
    ("age", &["reeve-vault"]),
    ("keyring-core", &["reeve-vault"]),
    ("secret-service", &["reeve-vault"]),
    ("zbus", &["reeve-api"]),
    ("zbus-secret-service-keyring-store", &["reeve-vault"]),
    ("apple-native-keyring-store", &["reeve-vault"]),
    ("windows-native-keyring-store", &["reeve-vault"]),
    ("cedar-policy", &["reeve-policy"]),
    ("cedar-policy-formatter", &["reeve-policy"]),
    ("rustls", &["reeve-proxy", "reeve-demo"]),
    ("tokio-rustls", &["reeve-proxy", "reeve-demo"]),
    ("rcgen", &["reeve-proxy", "reeve-demo"]),
    ("rustls-native-certs", &["reeve-proxy", "reeve-sandbox"]),
    ("hyper", &["reeve-proxy", "reeve-mcp", "reeve-demo"]),
    ("hyper-util", &["reeve-proxy", "reeve-mcp", "reeve-demo"]),
    ("h2", &["reeve-proxy", "reeve-demo"]),
    ("httparse", &["reeve-proxy"]),
    ("rmcp", &["reeve-mcp", "reeve-demo"]),
    ("jsonschema", &["reeve-mcp"]),
    ("sqlparser", &["reeve-mcp"]),
    ("reqwest", &["reeve-engine"]),
    ("tiktoken-rs", &["reeve-protocol"]),
    ("tauri", &["reeve-desktop"]),
    ("tauri-build", &["reeve-desktop"]),
    ("tauri-plugin-notification", &["reeve-desktop"]),
    ("tauri-plugin-autostart", &["reeve-desktop"]),
    ("tauri-plugin-single-instance", &["reeve-desktop"]),
    ("tauri-plugin-window-state", &["reeve-desktop"]),
    ("fluent-bundle", &["reeve-desktop"]),
    ("unic-langid", &["reeve-desktop"]),
    ("clap", &["reeve-cli"]),
    ("clap_complete", &["reeve-cli"]),
    ("clap_mangen", &["reeve-cli"]),
    ("rpassword", &["reeve-cli"]),
    ("ts-rs", &["reeve-domain", "reeve-api"]),
    ("anyhow", &["reeve-cli", "reeve-desktop", "xtask"]),
    // The pure floors (domain, policy, protocol) wait for nothing; store and vault have one thread to answer from.
    (
        "tokio",
        &[
            "reeve-store",
            "reeve-vault",
            "reeve-engine",
            "reeve-proxy",
            "reeve-mcp",
            "reeve-sandbox",
            "reeve-demo",
            "reeve-api",
            "reeve-cli",
            "reeve-desktop",
        ],
    ),
];

/// Licences that may come in with a crate; an expression is satisfied when one of its alternatives is.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that must not be in the tree at all, and why.
const BANNED: &[(&str, &str)] = &[
    ("rustls-pemfile", "unmaintained; rustls-pki-types reads PEM"),
    ("hickory-proto", "versions with an open advisory; names are resolved by the system"),
    ("openssl", "one TLS library is enough"),
    ("openssl-sys", "one TLS library is enough"),
    ("native-tls", "one TLS library is enough"),
];

/// The oldest version of a crate that is free of the holes that were found in it.
const OLDEST: &[(&str, [u64; 3])] = &[
    ("rmcp", [1, 4, 0]),
    ("h2", [0, 4, 16]),
    ("tauri", [2, 11, 1]),
    ("rustls-webpki", [0, 103, 13]),
    ("aws-lc-sys", [0, 39, 0]),
    ("idna", [1, 0, 3]),
];

struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    ours: bool,
    /// Names of what its code and build script use.
    uses: Vec<String>,
    /// Names of what only its tests use.
    tests_use: Vec<String>,
}

fn packages() -> Vec<Package> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let members: Vec<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let of_kind = |tests: bool| {
                dependencies
                    .iter()
                    .filter(|dependency| (dependency["kind"] == "dev") == tests)
                    .map(|dependency| text(&dependency["name"]))
                    .collect()
            };
            Package {
                name: text(&package["name"]),
                version: text(&package["version"]),
                licence: package["license"].as_str().map(str::to_owned),
                ours: members.contains(&package["id"].as_str().unwrap()),
                uses: of_kind(false),
                tests_use: of_kind(true),
            }
        })
        .collect()
}

fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn every_arrow_between_our_packages_points_down_and_is_in_the_table() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut findings = Vec::new();
    for package in packages().iter().filter(|package| package.ours && !HARNESS.contains(&package.name.as_str())) {
        let Some(allowed) = table.get(package.name.as_str()) else {
            findings.push(format!("{} has no row in the table of arrows", package.name));
            continue;
        };
        let ours = |name: &&String| name.starts_with("reeve-") || *name == "xtask";
        for used in package.uses.iter().filter(ours) {
            if !allowed.contains(&used.as_str()) {
                findings.push(format!("{} may not use {used}", package.name));
            }
        }
        for used in package.tests_use.iter().filter(ours) {
            if !below(&table, &package.name).contains(&used.as_str()) && used != "reeve-testkit" {
                findings.push(format!("tests of {} may not use {used}", package.name));
            }
        }
    }
    assert_none(&findings);
}

/// Every package that can be reached down the arrows: what tests may build their subject from.
fn below<'a>(table: &BTreeMap<&'a str, &'a [&'a str]>, name: &str) -> Vec<&'a str> {
    let mut found: Vec<&str> = table.get(name).map(|allowed| allowed.to_vec()).unwrap_or_default();
    let mut next = 0;
    while let Some(name) = found.get(next).copied() {
        found.extend(table.get(name).into_iter().flat_map(|allowed| allowed.iter()));
        next += 1;
    }
    found
}

#[test]
fn outside_crates_stay_with_their_owners() {
    let owners: BTreeMap<&str, &[&str]> = OWNERS.iter().copied().collect();
    let mut findings = Vec::new();
    for package in packages().iter().filter(|package| package.ours && !HARNESS.contains(&package.name.as_str())) {
        for used in &package.uses {
            if owners.get(used.as_str()).is_some_and(|owners| !owners.contains(&package.name.as_str())) {
                findings.push(format!("{} may not use {used}: it belongs to another floor", package.name));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn every_row_of_the_tables_still_names_something() {
    let packages = packages();
    let there = |name: &str| packages.iter().any(|package| package.ours && package.name == name);
    let named = ARROWS.iter().map(|(name, _)| *name).chain(HARNESS.iter().copied());
    let findings: Vec<String> = named.filter(|name| !there(name)).map(|name| format!("{name} is gone")).collect();
    assert_none(&findings);
}

#[test]
fn every_licence_is_one_that_may_come_in() {
    let findings: Vec<String> = packages()
        .iter()
        .filter(|package| !package.licence.as_deref().is_some_and(is_allowed))
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.licence))
        .collect();
    assert_none(&findings);
}

#[test]
fn nothing_banned_and_nothing_older_than_its_last_hole_is_in_the_tree() {
    let mut findings = Vec::new();
    for package in packages() {
        if let Some((_, why)) = BANNED.iter().find(|(name, _)| *name == package.name) {
            findings.push(format!("{} is banned: {why}", package.name));
        }
        if let Some((_, oldest)) = OLDEST.iter().find(|(name, _)| *name == package.name)
            && version(&package.version) < *oldest
        {
            findings.push(format!("{} {} is older than {oldest:?}", package.name, package.version));
        }
    }
    assert_none(&findings);
}

#[test]
fn nothing_unfinished_is_depended_on() {
    let packages = packages();
    let direct: Vec<&String> =
        packages.iter().filter(|package| package.ours).flat_map(|package| &package.uses).collect();
    let findings: Vec<String> = packages
        .iter()
        .filter(|package| !package.ours && direct.contains(&&package.name))
        .filter(|package| package.version.split('+').next().is_some_and(|version| version.contains('-')))
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    assert_none(&findings);
}

#[test]
fn licence_expressions_are_read_as_written() {
    for good in
        ["MIT", "MIT/Apache-2.0", "GPL-2.0-only OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0", "Apache-2.0 AND ISC"]
    {
        assert!(is_allowed(good), "{good}");
    }
    for bad in
        ["GPL-3.0-only", "MIT AND GPL-3.0-only", "(GPL-3.0-only OR AGPL-3.0-only) AND MIT", "", "Apache-2.0 WITH other"]
    {
        assert!(!is_allowed(bad), "{bad}");
    }
    assert!(version("0.103.9") < version("0.103.13") && version("1.0.0+x") == [1, 0, 0]);
}

/// Whether an SPDX expression (or the older form with `/`) can be satisfied with allowed licences alone.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let allowed = any_of(&mut words);
    allowed && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>) -> bool {
    let mut allowed = all_of(words);
    while words.next_if_eq(&"OR").is_some() {
        // Both sides are read in any case.
        allowed |= all_of(words);
    }
    allowed
}

fn all_of(words: &mut Words<'_>) -> bool {
    let mut allowed = one(words);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut Words<'_>) -> bool {
    let Some(word) = words.next() else { return false };
    if word == "(" {
        return any_of(words) & (words.next() == Some(")"));
    }
    if words.next_if_eq(&"WITH").is_some() {
        let exception = words.next().unwrap_or_default();
        return LICENCES.contains(&format!("{word} WITH {exception}").as_str());
    }
    LICENCES.contains(&word)
}

/// The three numbers of a version, whatever follows them.
fn version(text: &str) -> [u64; 3] {
    let mut numbers = text.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}
