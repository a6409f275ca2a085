//! The set as a whole: loading, deciding, asking, lifting, explaining.

mod deciding;
mod loading;
mod observing;
mod reach;
mod slicing;
mod standing;
mod tools;

use chrono::{DateTime, FixedOffset};
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, OperationId, SessionId};
use reeve_domain::operation::{Digest, Endpoint, HttpCall, Operation, Scheme, Subject};
use reeve_domain::path::RequestPath;
use reeve_domain::principal::Principal;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Layer, Verdict};

use crate::{Circumstances, PolicyError, PolicySet, Source};

pub(crate) fn noon() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-11-20T12:30:00+01:00").unwrap()
}

pub(crate) fn known() -> Circumstances {
    Circumstances { now: noon(), first_seen: false, first_write: false, cwd: None, grants: Vec::new() }
}

pub(crate) fn new_here() -> Circumstances {
    Circumstances { first_seen: true, first_write: true, ..known() }
}

pub(crate) fn http(method: &str, host: &str, path: &str) -> Operation {
    let endpoint = Endpoint {
        scheme: Scheme::Https,
        host: Host::parse(host).unwrap(),
        port: 443,
        method: method.to_owned(),
        path: RequestPath::parse(path).unwrap(),
    };
    Operation {
        id: OperationId::new(),
        at: noon().to_utc(),
        principal: Principal {
            agent: AgentId::parse("codex").unwrap(),
            session: SessionId::new(),
            user: "dana".to_owned(),
            team: None,
        },
        summary: format!("{method} {host}{path}"),
        subject: Subject::Http(HttpCall { body_bytes: None, ..HttpCall::to(endpoint) }),
        content: Digest::of(b"content"),
        conversation: None,
        credential: None,
        parent: None,
    }
}

pub(crate) fn source(layer: Layer, file: &str, text: &str) -> Source {
    Source { layer, file: file.to_owned(), text: text.to_owned() }
}

pub(crate) fn mine(text: &str) -> Source {
    source(Layer::Mine, "mine.cedar", text)
}

pub(crate) fn try_load(preset: Preset, sources: &[Source]) -> Result<PolicySet, PolicyError> {
    PolicySet::load(preset, sources, &[])
}

pub(crate) fn load(preset: Preset, sources: &[Source]) -> PolicySet {
    try_load(preset, sources).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict.reasons().iter().map(|reason| reason.rule.as_str()).collect()
}
