//! How much an operation could do: computed from its facts, never from a model, with reasons people can check.

use reeve_domain::host::Host;
use reeve_domain::operation::{Billing, Operation, Scheme, Subject};
use reeve_domain::verdict::Risk;

use crate::facts::{Circumstances, Class};

/// Reasons kept on a verdict.
pub(crate) const SHOWN: usize = 3;

/// Every reason that applies, the gravest first.
pub(crate) fn assess(operation: &Operation, circumstances: &Circumstances, class: Class) -> Vec<(Risk, String)> {
    let mut reasons = Vec::new();
    let mut add = |risk: Risk, text: String| reasons.push((risk, text));
    if let Some(credential) = &operation.credential {
        add(with_credential(operation, class), format!("uses the credential `{credential}`"));
    }
    match &operation.subject {
        Subject::Http(call) => {
            let method = &call.endpoint.method;
            if class == Class::Destructive {
                add(Risk::High, format!("{method} deletes something"));
            }
            if call.endpoint.path.as_str().ends_with("/git-receive-pack") {
                add(Risk::High, "pushes to a git remote".to_owned());
            }
            if let Some(protocol) = call.upgrade.as_ref().filter(|_| circumstances.first_write) {
                add(Risk::Medium, format!("opens a two-way channel ({protocol}) that is not read"));
            }
            if class != Class::Read && circumstances.first_write {
                add(Risk::Medium, "first time this agent sends something here".to_owned());
            } else if circumstances.first_seen {
                add(Risk::Low, "first time here".to_owned());
            }
        }
        Subject::Llm(call) => {
            if circumstances.first_seen {
                add(Risk::Low, "first time here".to_owned());
            }
            match call.billing {
                Billing::Metered => add(Risk::Low, "spends money".to_owned()),
                Billing::FlatRate => add(Risk::Low, "uses up a flat rate".to_owned()),
            }
        }
    }
    let endpoint = operation.endpoint();
    let local = is_loopback(&endpoint.host);
    if endpoint.scheme == Scheme::Http && !local {
        add(Risk::Medium, "plain http can be read and changed on the way".to_owned());
    }
    if endpoint.host.ip().is_some() && !local {
        add(Risk::Medium, "goes to an address without a name".to_owned());
    }
    reasons.sort_by_key(|(risk, _)| std::cmp::Reverse(*risk));
    reasons
}

/// A credential makes a change graver; for a model call it is how calls are paid.
fn with_credential(operation: &Operation, class: Class) -> Risk {
    match (&operation.subject, class) {
        (Subject::Llm(_), _) => Risk::Low,
        (Subject::Http(_), Class::Read) => Risk::Medium,
        (Subject::Http(_), Class::Write) => Risk::High,
        (Subject::Http(_), Class::Destructive) => Risk::Critical,
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ip(ip) => ip.is_loopback(),
    }
}
