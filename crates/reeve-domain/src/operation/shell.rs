//! A command an agent runs in a shell: the line as it is run, the programs in it, and what they are known to do.

use serde::{Deserialize, Serialize};

/// What a program is known to do when it is called like this. Nothing in the list: it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Reads,
    /// Writes into files.
    Writes,
    Deletes,
    /// Deletes a folder with all that is in it.
    DeletesTree,
    /// Sends commits to a remote.
    Pushes,
    /// Replaces history that others may have.
    RewritesHistory,
    /// Fetches and runs what others wrote.
    Installs,
    /// Talks to other machines.
    Network,
    /// Runs as another user, or changes who may do what.
    Privilege,
    /// Runs code that is not in the command itself, or that a rule does not see.
    RunsCode,
}

impl Effect {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Deletes => "deletes",
            Self::DeletesTree => "deletes_tree",
            Self::Pushes => "pushes",
            Self::RewritesHistory => "rewrites_history",
            Self::Installs => "installs",
            Self::Network => "network",
            Self::Privilege => "privilege",
            Self::RunsCode => "runs_code",
        }
    }

    /// Whether something may be lost by it.
    #[must_use]
    pub fn destroys(self) -> bool {
        matches!(self, Self::Deletes | Self::DeletesTree | Self::RewritesHistory)
    }
}

/// One program of a command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellPiece {
    /// Its name, without the folder it lies in where that is one of the system's.
    pub program: String,
    /// Without the program, as the shell would hand them over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// In order, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// Files and folders that its arguments and redirections name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<String>,
    /// Hosts that its arguments name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

impl ShellPiece {
    #[must_use]
    pub fn only_reads(&self) -> bool {
        self.effects == [Effect::Reads]
    }

    #[must_use]
    pub fn does(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }

    #[must_use]
    pub fn destroys(&self) -> bool {
        self.effects.iter().any(|effect| effect.destroys())
    }

    /// What begins with a dash, up to `--`; letters that were written together also one by one.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let dashed = self.argv.iter().take_while(|word| *word != "--").filter(|word| word.len() > 1);
        for word in dashed.filter(|word| word.starts_with('-')) {
            flags.push(word.split_once('=').map_or(word.as_str(), |(name, _)| name).to_owned());
            let letters = word.strip_prefix('-').filter(|rest| rest.chars().all(|c| c.is_ascii_alphabetic()));
            flags.extend(letters.filter(|all| all.len() > 1).into_iter().flat_map(str::chars).map(|c| format!("-{c}")));
        }
        flags.sort();
        flags.dedup();
        flags
    }
}

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellExec {
    /// As it is run, without what looks like a secret.
    pub command: String,
    /// `command` is the line as it is run: it was not too long and nothing was taken out.
    pub is_whole: bool,
    /// Size of the line as it is run.
    pub command_bytes: u64,
    /// Where it is run.
    pub cwd: String,
    /// The programs in it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<ShellPiece>,
    /// Every program that it runs is among the pieces. What is built while it runs (substitutions, loops, variables) is not.
    pub understood: bool,
}

impl ShellExec {
    /// Every program, each once, in order.
    #[must_use]
    pub fn programs(&self) -> Vec<&str> {
        let mut seen = Vec::new();
        for piece in &self.pieces {
            if !seen.contains(&piece.program.as_str()) {
                seen.push(piece.program.as_str());
            }
        }
        seen
    }

    /// Whether all of it is known to change nothing.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        self.understood && !self.pieces.is_empty() && self.pieces.iter().all(ShellPiece::only_reads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(argv: &[&str], effects: &[Effect]) -> ShellPiece {
        ShellPiece {
            program: "x".to_owned(),
            argv: argv.iter().map(ToString::to_string).collect(),
            effects: effects.to_vec(),
            touches: Vec::new(),
            hosts: Vec::new(),
        }
    }

    #[test]
    fn flags_written_together_are_seen_one_by_one_and_none_after_two_dashes() {
        let flags = piece(&["-rf", "--force=yes", "-", "a", "--", "-x"], &[]).flags();
        assert_eq!(flags, ["--force", "-f", "-r", "-rf"]);
    }

    #[test]
    fn what_is_not_understood_never_only_reads() {
        let reads = piece(&[], &[Effect::Reads]);
        let line = |pieces: Vec<ShellPiece>, understood| ShellExec {
            command: "x".to_owned(),
            is_whole: true,
            command_bytes: 1,
            cwd: "/".to_owned(),
            pieces,
            understood,
        };
        assert!(line(vec![reads.clone()], true).only_reads());
        assert!(!line(vec![reads.clone()], false).only_reads());
        assert!(!line(vec![reads, piece(&[], &[])], true).only_reads());
        assert!(!line(Vec::new(), true).only_reads());
    }
}
