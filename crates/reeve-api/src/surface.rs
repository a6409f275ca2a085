//! Who may call what: the table for the socket. At L0 this guards against accidents, not against hostile code of the
//! same user.

use reeve_domain::approval::Surface;

use crate::contract::{ApiCode, ApiError};

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    Read,
    /// Changes settings, budgets, credentials, sessions, or is long work for the engine.
    Change,
    /// Answers a held action.
    Decide,
}

/// What each call does; a test holds that every call of the contract has a row.
const POWERS: &[(&str, Power)] = &[
    ("operations.search", Power::Read),
    ("operations.facets", Power::Read),
    ("operations.get", Power::Read),
    ("operations.export", Power::Change),
    ("operations.values", Power::Read),
    ("operations.views", Power::Read),
    ("operations.save_view", Power::Change),
    ("operations.remove_view", Power::Change),
    ("operations.annotate", Power::Change),
    ("operations.costliest", Power::Read),
    ("approvals.list", Power::Read),
    ("approvals.answered", Power::Read),
    // Showing a card hands out the ticket that deciding needs.
    ("approvals.get", Power::Decide),
    ("approvals.resolve", Power::Decide),
    ("approvals.extend", Power::Decide),
    // Judges a week again: not for a governed process to ask for.
    ("approvals.preview", Power::Decide),
    ("approvals.undo", Power::Decide),
    ("approvals.allow_late", Power::Decide),
    ("approvals.raise", Power::Decide),
    // Counts a month.
    ("approvals.suggestions", Power::Change),
    ("approvals.presence", Power::Read),
    ("approvals.set_presence", Power::Decide),
    // Opens a window of the system.
    ("approvals.confirm", Power::Decide),
    ("status.get", Power::Read),
    // Opens sessions and writes a probe into the keychain.
    ("status.doctor", Power::Change),
    ("status.repair", Power::Change),
    ("status.set_mark", Power::Change),
    ("status.stop_all", Power::Change),
    ("status.resume", Power::Change),
    ("status.pause", Power::Change),
    ("status.shutdown", Power::Change),
    ("sessions.list", Power::Read),
    ("sessions.open", Power::Change),
    ("sessions.stop", Power::Change),
    ("sessions.search", Power::Read),
    ("sessions.flow", Power::Read),
    ("agents.list", Power::Read),
    ("agents.get", Power::Read),
    ("agents.tools", Power::Read),
    // Starts a program.
    ("agents.start", Power::Change),
    ("agents.add", Power::Change),
    ("agents.remove", Power::Change),
    ("agents.stop", Power::Change),
    ("agents.pause", Power::Change),
    ("agents.resume", Power::Change),
    ("agents.changes", Power::Read),
    ("budgets.list", Power::Read),
    ("budgets.lines", Power::Read),
    ("budgets.get", Power::Read),
    ("budgets.prices", Power::Read),
    ("budgets.set", Power::Change),
    ("budgets.remove", Power::Change),
    ("credentials.list", Power::Read),
    ("credentials.add", Power::Change),
    ("credentials.replace", Power::Change),
    ("credentials.bind", Power::Change),
    ("credentials.unbind", Power::Change),
    ("credentials.remove", Power::Change),
    ("credentials.remind", Power::Change),
    // Reads a file of the person.
    ("credentials.scan", Power::Change),
    ("credentials.import", Power::Change),
    // Writes a probe into the keychain.
    ("credentials.keeping", Power::Change),
    // Sends a request with a real secret, and answers the question about it.
    ("credentials.test", Power::Decide),
    ("policies.list", Power::Read),
    ("policies.state", Power::Read),
    ("policies.files", Power::Read),
    ("policies.hits", Power::Read),
    // Work on drafts: they are loaded and weighed, which a governed process has no use for.
    ("policies.check", Power::Change),
    ("policies.format", Power::Change),
    ("policies.complete", Power::Change),
    ("policies.replay", Power::Change),
    ("policies.what_if", Power::Change),
    ("policies.propose", Power::Change),
    ("policies.history", Power::Read),
    ("policies.acknowledge", Power::Decide),
    ("policies.take_back", Power::Change),
    ("policies.save", Power::Change),
    // One at a time, and a governed process does not wait for its turn.
    ("audit.verify", Power::Read),
    ("audit.record", Power::Read),
    // Reads the whole record too.
    ("audit.weigh_removal", Power::Change),
    ("audit.set_retention", Power::Change),
    // Nothing that a tray does.
    ("audit.wipe", Power::Decide),
    ("settings.get", Power::Read),
    ("settings.set", Power::Change),
    ("servers.list", Power::Read),
    ("servers.get", Power::Read),
    // An agent does not let itself use a server, nor make one a new one again, nor have one started.
    ("servers.approve", Power::Decide),
    ("servers.forget", Power::Decide),
    ("servers.add", Power::Change),
    ("servers.remove", Power::Change),
    // Counts the whole record.
    ("servers.stats", Power::Change),
    // Only leads into the session that the caller is in already, or into one of its own.
    ("mcp.attach", Power::Read),
    ("subscribe", Power::Read),
];

/// Who is at the other end of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process of the person: console, terminal.
    Person,
    /// A process with an ancestor that holds a governed session.
    Governed,
}

/// What a call does, by its name.
#[must_use]
pub fn power(call: &str) -> Option<Power> {
    POWERS.iter().find(|(name, _)| *name == call).map(|(_, power)| *power)
}

/// Lets a call through or says why not.
///
/// # Errors
/// `NotPermitted` for a governed process that decides or changes, and for the tray deciding.
pub fn check(call: &str, peer: Peer, surface: Surface) -> Result<(), ApiError> {
    let Some(power) = power(call) else {
        return Err(ApiError::new(ApiCode::Invalid, format!("`{call}` is not a call")));
    };
    let governed = peer == Peer::Governed && matches!(power, Power::Change | Power::Decide);
    if governed {
        return Err(ApiError::new(
            ApiCode::NotPermitted,
            format!("`{call}` is refused inside a governed session: an agent does not decide about itself"),
        )
        .hint("run it in a terminal that was not started by an agent"));
    }
    if power == Power::Decide && surface == Surface::Tray {
        return Err(ApiError::new(ApiCode::NotPermitted, "the tray shows and never decides"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Call;

    #[test]
    fn every_call_of_the_contract_has_exactly_one_row() {
        for name in Call::names() {
            assert_eq!(POWERS.iter().filter(|(row, _)| *row == name).count(), 1, "{name}");
        }
        let others = POWERS.iter().map(|(row, _)| *row).filter(|row| !Call::names().any(|name| name == *row));
        assert_eq!(others.collect::<Vec<_>>(), ["mcp.attach", "subscribe"], "both change what a connection is for");
    }

    #[test]
    fn a_governed_process_reads_and_neither_changes_nor_decides() {
        for (call, power) in POWERS {
            let allowed = check(call, Peer::Governed, Surface::Cli).is_ok();
            assert_eq!(allowed, *power == Power::Read, "{call}");
            assert!(check(call, Peer::Person, Surface::MainWindow).is_ok(), "{call}");
        }
    }

    #[test]
    fn long_work_is_not_for_a_governed_process_and_its_own_status_and_denials_are() {
        let long =
            ["policies.replay", "policies.what_if", "policies.check", "approvals.preview", "approvals.suggestions"];
        for call in long {
            assert!(check(call, Peer::Governed, Surface::Cli).is_err(), "{call}");
        }
        let reading =
            ["status.get", "operations.search", "operations.get", "policies.list", "policies.state", "audit.verify"];
        for call in reading {
            assert!(check(call, Peer::Governed, Surface::Cli).is_ok(), "{call}");
        }
    }

    #[test]
    fn the_tray_never_decides() {
        assert!(check("approvals.resolve", Peer::Person, Surface::Tray).is_err());
    }
}
