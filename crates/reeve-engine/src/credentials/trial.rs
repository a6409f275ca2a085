//! Trying a credential out: what can be known of it without sending anything, and the read that would show whether its
//! place takes it. What the read carries is the placeholder: the secret comes in where it always does, at injection.

use reeve_domain::credential::{Credential, Place, Slot};
use reeve_domain::event::Event;
use reeve_domain::id::{AgentId, CredentialId, OperationId, SessionId};
use reeve_domain::operation::{Digest, Endpoint, HttpCall, Operation, Scheme, Subject};
use reeve_domain::path::RequestPath;
use reeve_domain::principal::Principal;
use reeve_domain::sensitive::Secret;
use reeve_domain::verdict::Verdict;

use super::{Credentials, KNOWN_KINDS, KnownKind, vault_name};
use crate::Engine;
use crate::error::EngineError;

/// Who asks at a place that is bound for every agent.
const TRIER: &str = "credential-test";

/// What is known of a credential without sending anything.
#[derive(Debug, Clone)]
pub struct Trial {
    pub credential: Credential,
    /// In the vault and readable, or why not.
    pub secret: Result<(), String>,
    /// Looks like what its kind looks like, or what is odd about it; `None` while it cannot be read.
    pub shape: Option<Result<String, String>>,
    /// One for each place, in the order of the credential's bindings.
    pub places: Vec<TriedPlace>,
}

/// A place, and the read that would try it.
#[derive(Debug, Clone)]
pub struct TriedPlace {
    /// `host:port`.
    pub place: String,
    /// `Err`: why no read can try it.
    pub read: Result<Read, String>,
}

/// A `GET` with the placeholder in its slot.
#[derive(Debug, Clone)]
pub struct Read {
    /// The agent it is made as.
    pub agent: AgentId,
    pub endpoint: Endpoint,
    pub query: Option<String>,
    /// Names and values; secrets are never among them.
    pub headers: Vec<(String, String)>,
    /// What policy says of it.
    pub verdict: Verdict,
}

impl Read {
    /// Path and query.
    #[must_use]
    pub fn target(&self) -> String {
        let path = self.endpoint.path.as_str();
        self.query.as_ref().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }

    /// As a person reads it.
    #[must_use]
    pub fn url(&self) -> String {
        let authority = match self.endpoint.port {
            443 => self.endpoint.host.to_string(),
            port => format!("{}:{port}", self.endpoint.host),
        };
        format!("https://{authority}{}", self.target())
    }
}

impl Engine {
    /// What is known of a credential without sending anything, and what would be sent to try it.
    ///
    /// # Errors
    /// When there is no such credential.
    pub async fn try_credential(&self, id: &CredentialId) -> Result<Trial, EngineError> {
        let credentials = self.credentials();
        let credential = credentials.get(id)?;
        let (secret, shape) = match credentials.vault.get(&vault_name(id)).await {
            Ok(Some(secret)) => (Ok(()), Some(shape(&credential, &secret))),
            Ok(None) => (Err("the vault can be read and has no such secret".to_owned()), None),
            Err(error) => (Err(error.to_string()), None),
        };
        let place = |place: &Place| format!("{}:{}", place.host, place.port);
        let places = credential
            .bindings
            .iter()
            .map(|b| TriedPlace { place: place(&b.place), read: self.read_of(&credential, b) })
            .collect();
        Ok(Trial { credential, secret, shape, places })
    }

    fn read_of(&self, credential: &Credential, binding: &reeve_domain::credential::Binding) -> Result<Read, String> {
        let place = &binding.place;
        if !place.methods.is_empty() && !place.methods.iter().any(|method| method == "GET") {
            return Err("only reads are tried, and this place takes none".to_owned());
        }
        let agent = match binding.agents.first() {
            Some(agent) => agent.clone(),
            None => AgentId::parse(TRIER).map_err(|error| error.to_string())?,
        };
        let known = kind_at(place);
        let path = place.path.as_deref().or(known.map(|kind| kind.read)).unwrap_or("/");
        let endpoint = Endpoint {
            scheme: Scheme::Https,
            host: place.host.clone(),
            port: place.port,
            method: "GET".to_owned(),
            path: RequestPath::parse(path).map_err(|error| error.to_string())?,
        };
        let (header, query) = carried(&binding.slot, &credential.placeholder)?;
        let mut headers: Vec<(String, String)> = header.into_iter().collect();
        let extra = known.map(|kind| kind.read_headers).unwrap_or_default();
        headers.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let operation = self.reads_once(&agent, &endpoint, query.as_deref(), &credential.id);
        Ok(Read { verdict: self.gate().foresee(&operation, None), agent, endpoint, query, headers })
    }

    /// The read as policy sees it, before there is a session for it.
    fn reads_once(&self, agent: &AgentId, endpoint: &Endpoint, query: Option<&str>, id: &CredentialId) -> Operation {
        let summary = format!("GET {}{}", endpoint.host, endpoint.path.as_str());
        Operation {
            id: OperationId::new(),
            at: self.now(),
            principal: Principal {
                agent: agent.clone(),
                session: SessionId::new(),
                user: String::new(),
                team: self.settings().team_of(agent),
            },
            content: Digest::of(summary.as_bytes()),
            subject: Subject::Http(HttpCall {
                query: query.map(str::to_owned),
                query_bytes: query.map(|query| query.len() as u64),
                ..HttpCall::to(endpoint.clone())
            }),
            summary,
            conversation: None,
            credential: Some(id.clone()),
            parent: None,
        }
    }

    /// What came of the one operation of a session, from the record.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn only_operation(&self, session: &SessionId) -> Result<Option<Vec<Event>>, EngineError> {
        let newest = self.store().events(None, 100).await?;
        let theirs = newest.into_iter().find(|e| e.session.as_ref() == Some(session) && e.operation.is_some());
        let Some(operation) = theirs.and_then(|event| event.operation) else { return Ok(None) };
        Ok(self.store().detail(&operation).await?.map(|detail| detail.events))
    }
}

impl Credentials {
    /// The kind that lives at a place, where one does.
    #[must_use]
    fn kind_of(credential: &Credential) -> Option<&'static KnownKind> {
        credential.bindings.iter().find_map(|binding| kind_at(&binding.place))
    }
}

fn kind_at(place: &Place) -> Option<&'static KnownKind> {
    KNOWN_KINDS.iter().find(|kind| place.host.name() == Some(kind.host))
}

/// Header and query that carry the placeholder in this slot.
fn carried(slot: &Slot, placeholder: &str) -> Result<(Option<(String, String)>, Option<String>), String> {
    use base64::Engine as _;
    let authorization = |value: String| Ok((Some(("authorization".to_owned(), value)), None));
    match slot {
        Slot::Header { name } => Ok((Some((name.to_ascii_lowercase(), placeholder.to_owned())), None)),
        Slot::Bearer => authorization(format!("Bearer {placeholder}")),
        Slot::Basic { user } => {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{placeholder}"));
            authorization(format!("Basic {pair}"))
        }
        Slot::Query { name } => Ok((None, Some(format!("{name}={placeholder}")))),
        Slot::Path | Slot::Body => {
            Err("where the secret stands is the agent's own choice here, so no read can try it".to_owned())
        }
    }
}

/// Whether a secret looks like one of its kind. Says nothing of the secret itself but what is odd.
fn shape(credential: &Credential, secret: &Secret) -> Result<String, String> {
    let Ok(text) = std::str::from_utf8(secret.expose()) else {
        return Err("it is not text".to_owned());
    };
    if text.trim() != text {
        return Err("there is a blank or a line end at one of its ends".to_owned());
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("there is a blank or a control character in it".to_owned());
    }
    if text == credential.placeholder || text.contains("reeve-") {
        return Err("it looks like a placeholder of Reeve's and not like a secret".to_owned());
    }
    match Credentials::kind_of(credential) {
        Some(kind) if !kind.begins.iter().any(|begin| text.starts_with(begin)) => {
            Err(format!("it does not begin like {} (`{}`)", kind.title, kind.begins.join("`, `")))
        }
        Some(kind) => Ok(format!("begins like {}", kind.title)),
        None => Ok("text without blanks".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use reeve_domain::credential::Binding;
    use reeve_domain::host::Host;

    use super::*;

    fn credential(host: &str) -> Credential {
        let place = Place { host: Host::parse(host).unwrap(), port: 443, methods: Vec::new(), path: None };
        Credential {
            id: CredentialId::parse("key").unwrap(),
            name: "Key".to_owned(),
            placeholder: "sk-ant-api03-reeve-00".to_owned(),
            variables: Vec::new(),
            bindings: vec![Binding { agents: Vec::new(), place, slot: Slot::Bearer }],
            added_at: chrono::DateTime::UNIX_EPOCH,
            rotated_at: None,
            rotate_days: None,
        }
    }

    #[test]
    fn what_is_odd_about_a_secret_is_named_and_the_secret_is_not() {
        let secret = |text: &str| Secret::from(text.to_owned());
        let known = credential("api.anthropic.com");
        assert!(shape(&known, &secret("sk-ant-abcdefgh")).is_ok());
        for odd in ["sk-proj-abcdefgh", "sk-ant-abc defgh", "sk-ant-abcdefgh\n", "sk-ant-api03-reeve-00"] {
            let why = shape(&known, &secret(odd)).unwrap_err();
            assert!(!why.contains("abc"), "{why}");
        }
        assert!(shape(&credential("api.example.com"), &secret("anything-goes")).is_ok());
        assert!(shape(&known, &Secret::new(vec![0xff, 0xfe])).is_err());
    }

    #[test]
    fn a_slot_that_only_the_agent_knows_cannot_be_tried() {
        assert!(carried(&Slot::Body, "p").is_err());
        let (header, _) = carried(&Slot::Basic { user: "dana".to_owned() }, "p").unwrap();
        assert_eq!(header.unwrap().1, "Basic ZGFuYTpw");
        assert_eq!(carried(&Slot::Query { name: "key".to_owned() }, "p").unwrap().1.as_deref(), Some("key=p"));
    }
}
