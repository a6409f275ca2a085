//! Declares the shell's commands, so that each needs a permission, and refuses to embed a console that was not built.

use std::path::Path;
use std::process::ExitCode;

/// One command per noun, and the subscription. `tests.rs` holds it against the contract and the capability.
const COMMANDS: &[&str] = &[
    "operations",
    "approvals",
    "status",
    "sessions",
    "agents",
    "budgets",
    "credentials",
    "policies",
    "audit",
    "settings",
    "servers",
    "subscribe",
    "login",
    "zoom",
    "quit",
];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=../ui/dist/index.html");
    println!("cargo::rerun-if-changed=../icons");
    if !Path::new("../ui/dist/index.html").is_file() {
        println!("cargo::error=the console is not built: run `npm --prefix ui ci && npm --prefix ui run build` first");
        return ExitCode::FAILURE;
    }
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    match tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error:#}");
            ExitCode::FAILURE
        }
    }
}
