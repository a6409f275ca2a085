//! What a package ships beside the program: completions and manual pages, both made from the same description.

use std::path::Path;

use clap::CommandFactory as _;

use crate::args::Args;
use crate::exit;

pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<u8> {
    clap_complete::generate(shell, &mut Args::command(), "reeve", &mut std::io::stdout());
    Ok(exit::DONE)
}

/// One page per command, `reeve.1` first.
pub fn man(folder: &Path) -> anyhow::Result<u8> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Args::command(), folder)?;
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        man(folder.path()).unwrap();
        let main = std::fs::read_to_string(folder.path().join("reeve.1")).unwrap();
        assert!(main.contains("Governs the AI agents"), "{main}");
        let mut command = Args::command();
        command.build();
        for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
            let page = folder.path().join(format!("reeve-{}.1", one.get_name()));
            assert!(page.is_file(), "{}", page.display());
        }
        assert!(folder.path().join("reeve-budget-set.1").is_file());
    }

    #[test]
    fn every_shell_gets_completions_that_know_the_commands() {
        use clap_complete::Shell::{Bash, Fish, PowerShell, Zsh};
        for shell in [Bash, Zsh, Fish, PowerShell] {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "reeve", &mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("doctor") && text.contains("on-exhausted"), "{shell}");
        }
    }
}
