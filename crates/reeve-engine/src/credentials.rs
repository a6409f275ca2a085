//! Credentials: kept in the vault, bound to agents and places, held in memory only for live sessions.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use reeve_domain::credential::{Binding, Credential, Place, Slot};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{AgentId, CredentialId};
use reeve_domain::operation::{Endpoint, Scheme};
use reeve_domain::sensitive::Secret;
use reeve_domain::sought::Sought;
use reeve_store::{Change, Store};
use reeve_vault::Vault;

use crate::error::EngineError;
use crate::leaks::{LeakGuard, SoughtKind};
use crate::sessions::{HeldSecrets, LiveSession};

pub mod env_file;
mod places;
mod trial;

pub use trial::{Read, Trial, TriedPlace};

/// A secret on its way into one slot of one admitted request. Only an `Admission` hands it out.
#[derive(Debug, Clone)]
pub struct Injection {
    pub credential: CredentialId,
    /// Name for the mask, shown where an upstream echoes the secret.
    pub placeholder: String,
    pub slot: Slot,
    pub secret: Secret,
}

/// Longest time until a reminder.
const LONGEST_REMINDER_DAYS: u32 = 3_650;

/// Owner of what is known of credentials; the secrets themselves are the vault's.
#[derive(Debug)]
pub struct Credentials {
    store: Store,
    vault: Vault,
    known: RwLock<Vec<Credential>>,
    /// One change at a time: none of them is lost to another one that began from what was before.
    changing: tokio::sync::Mutex<()>,
}

impl Credentials {
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Store, vault: Vault) -> Result<Self, EngineError> {
        let known = store.credentials().await?;
        Ok(Self { store, vault, known: RwLock::new(known), changing: tokio::sync::Mutex::default() })
    }

    #[must_use]
    pub fn list(&self) -> Vec<Credential> {
        self.known.read().clone()
    }

    #[must_use]
    pub fn find(&self, id: &CredentialId) -> Option<Credential> {
        self.known.read().iter().find(|c| c.id == *id).cloned()
    }

    /// Stores the secret, then what is known of it. The event names the credential and nothing else.
    ///
    /// # Errors
    /// When the name is taken, an agent would find two credentials in one variable, the vault refuses, or it cannot be
    /// recorded (then the secret is removed again).
    pub async fn add(&self, credential: Credential, secret: Secret) -> Result<(), EngineError> {
        let _alone = self.changing.lock().await;
        if self.find(&credential.id).is_some() {
            return Err(EngineError::Refused(format!("there is a credential `{}` already", credential.id)));
        }
        if let Some((variable, other)) = self.list().iter().find_map(|other| contested(other, &credential)) {
            return Err(EngineError::Refused(format!(
                "`{variable}` already carries `{other}`: replace that one, remove it, or give another variable"
            )));
        }
        check_length(&secret)?;
        self.vault.set(&vault_name(&credential.id), secret).await?;
        let recorded =
            self.remember(&credential, [EventBody::CredentialAdded { credential: credential.id.clone() }]).await;
        if recorded.is_err() {
            self.vault.remove(&vault_name(&credential.id)).await?;
        }
        recorded
    }

    /// Replaces the secret; bindings and placeholder stay.
    ///
    /// # Errors
    /// When there is no such credential, or the vault or the record refuses.
    pub async fn replace(
        &self,
        id: &CredentialId,
        secret: Secret,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), EngineError> {
        let _alone = self.changing.lock().await;
        let mut credential = self.get(id)?;
        check_length(&secret)?;
        credential.rotated_at = Some(now);
        self.vault.set(&vault_name(id), secret).await?;
        self.remember(&credential, [EventBody::CredentialReplaced { credential: id.clone() }]).await
    }

    /// Reminds of replacing the secret when it is so many days old; `None`: not at all.
    ///
    /// # Errors
    /// When there is no such credential, the days are none or more than ten years, or it cannot be recorded.
    pub async fn remind(&self, id: &CredentialId, days: Option<u32>) -> Result<(), EngineError> {
        let _alone = self.changing.lock().await;
        let mut credential = self.get(id)?;
        if days.is_some_and(|days| !(1..=LONGEST_REMINDER_DAYS).contains(&days)) {
            return Err(EngineError::Refused(format!("a reminder comes after 1 to {LONGEST_REMINDER_DAYS} days")));
        }
        credential.rotate_days = days;
        self.remember(&credential, [EventBody::CredentialReminderSet { credential: id.clone(), days }]).await
    }

    /// Forgets the credential and its secret.
    ///
    /// # Errors
    /// When there is no such credential, or the vault or the record refuses.
    pub async fn remove(&self, id: &CredentialId) -> Result<(), EngineError> {
        let _alone = self.changing.lock().await;
        self.get(id)?;
        self.vault.remove(&vault_name(id)).await?;
        let event = Draft::engine(EventBody::CredentialRemoved { credential: id.clone() });
        self.store.append_with(vec![Change::CredentialRemoved(id.clone())], vec![event]).await?;
        self.known.write().retain(|c| c.id != *id);
        Ok(())
    }

    /// Whether each variable of this agent's sessions carries one credential. Older versions took a second one.
    ///
    /// # Errors
    /// When two are to be carried by one variable: both are named, with the way out.
    pub fn uncontested(&self, agent: &AgentId) -> Result<(), EngineError> {
        let mine: Vec<Credential> = self.list().into_iter().filter(|c| is_for(c, agent)).collect();
        let mut rest = mine.as_slice();
        while let Some((last, before)) = rest.split_last() {
            if let Some((variable, other)) = before.iter().find_map(|other| contested(other, last)) {
                return Err(EngineError::Refused(format!(
                    "`{variable}` cannot carry both `{other}` and `{last}`: remove one of them, `reeve cred rm {last}` or \
                     `reeve cred rm {other}`",
                    last = last.id
                )));
            }
            rest = before;
        }
        Ok(())
    }

    fn get(&self, id: &CredentialId) -> Result<Credential, EngineError> {
        self.find(id).ok_or_else(|| EngineError::NotFound { what: "credential", name: id.to_string() })
    }

    async fn remember(
        &self,
        credential: &Credential,
        events: impl IntoIterator<Item = EventBody>,
    ) -> Result<(), EngineError> {
        let change = Change::Credential(credential.clone());
        self.store.append_with(vec![change], events.into_iter().map(Draft::engine).collect()).await?;
        let mut known = self.known.write();
        known.retain(|c| c.id != credential.id);
        known.push(credential.clone());
        known.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(())
    }

    /// What a session of this agent holds: its own credentials' secrets, and a guard over every placeholder and every
    /// secret, whoever's they are.
    pub async fn hold_for(&self, agent: &AgentId) -> HeldSecrets {
        let known = self.list();
        let mut sought = Vec::new();
        let mut secrets = HashMap::new();
        let mut problem = None;
        for credential in &known {
            let placeholder = Secret::from(credential.placeholder.clone());
            sought.push((credential.id.clone(), SoughtKind::Placeholder, placeholder));
            match self.vault.get(&vault_name(&credential.id)).await {
                Ok(Some(secret)) => {
                    sought.push((credential.id.clone(), SoughtKind::Secret, secret.clone()));
                    if is_for(credential, agent) {
                        secrets.insert(credential.id.clone(), secret);
                    }
                }
                Ok(None) => problem = Some(format!("the secret of `{}` is not in the vault", credential.id)),
                Err(error) => {
                    // Agents hear this sentence: what the vault said is for the log.
                    tracing::error!(%error, credential = %credential.id, "a secret cannot be read");
                    problem = Some(format!("the secret of `{}` cannot be read", credential.id));
                }
            }
        }
        let mine = known.into_iter().filter(|c| is_for(c, agent)).collect();
        HeldSecrets { credentials: mine, secrets, guard: Arc::new(LeakGuard::new(sought)), problem }
    }

    /// Every stored secret, to be sought in what is about to leave this machine by a person's own hand.
    ///
    /// # Errors
    /// When one cannot be read: then nobody knows what to look for.
    pub async fn sought(&self) -> Result<Sought<()>, EngineError> {
        let mut secrets = Vec::new();
        for credential in self.list() {
            secrets.extend(self.vault.get(&vault_name(&credential.id)).await?);
        }
        Ok(Sought::new(secrets.iter().map(|secret| ((), secret))))
    }

    /// What to put into an admitted request whose placeholder was found on its way to an allowed place. Places are those
    /// that are known now: one that was taken away since the session's secrets were read counts no more.
    ///
    /// # Errors
    /// A sentence for the denial, when the place is not allowed any more or the secret is not to be had.
    pub fn injection(
        &self,
        live: &LiveSession,
        credential: &CredentialId,
        endpoint: &Endpoint,
    ) -> Result<Injection, String> {
        let Some((slot, placeholder)) = self.slot_at(live, credential, endpoint) else {
            return Err(format!("credential `{credential}` is not bound to this place for this agent"));
        };
        let held = live.held.load();
        let Some(secret) = held.secrets.get(credential) else {
            let why = held.problem.clone().unwrap_or_else(|| "its secret is not held".to_owned());
            return Err(format!("credential `{credential}` cannot be injected: {why}"));
        };
        Ok(Injection { credential: credential.clone(), placeholder, slot, secret: secret.clone() })
    }

    /// Slot and placeholder of a credential that a session's agent may use at this endpoint: decides between injection
    /// and leak.
    #[must_use]
    pub fn slot_at(
        &self,
        live: &LiveSession,
        credential: &CredentialId,
        endpoint: &Endpoint,
    ) -> Option<(Slot, String)> {
        let all = self.known.read();
        let known = all.iter().find(|c| c.id == *credential)?;
        let binding = binding_for(known, &live.session.agent, endpoint)?;
        Some((binding.slot.clone(), known.placeholder.clone()))
    }
}

fn check_length(secret: &Secret) -> Result<(), EngineError> {
    if secret.expose().len() >= 8 {
        return Ok(());
    }
    Err(EngineError::Refused("the secret is shorter than 8 bytes, too short to be guarded against leaks".to_owned()))
}

fn vault_name(id: &CredentialId) -> String {
    format!("credential.{id}")
}

fn is_for(credential: &Credential, agent: &AgentId) -> bool {
    credential.bindings.iter().any(|b| b.agents.is_empty() || b.agents.contains(agent))
}

/// The variable in which some agent would find both, and which one carries it now. Disjoint agents may share a variable.
fn contested(now: &Credential, too: &Credential) -> Option<(String, CredentialId)> {
    let everybody = |c: &Credential| c.bindings.iter().any(|b| b.agents.is_empty());
    let mut named = now.bindings.iter().flat_map(|b| &b.agents);
    let shared = (everybody(now) && !too.bindings.is_empty())
        || (everybody(too) && !now.bindings.is_empty())
        || named.any(|agent| is_for(too, agent));
    // Some systems hold names of variables to be the same in either case.
    let twice = |variable: &&String| now.variables.iter().any(|carried| carried.eq_ignore_ascii_case(variable));
    let variable = too.variables.iter().find(twice).filter(|_| shared)?;
    Some((variable.clone(), now.id.clone()))
}

/// The first binding that covers this agent and place. Only https ever carries a secret.
fn binding_for<'a>(credential: &'a Credential, agent: &AgentId, endpoint: &Endpoint) -> Option<&'a Binding> {
    credential.bindings.iter().find(|b| (b.agents.is_empty() || b.agents.contains(agent)) && covers(&b.place, endpoint))
}

fn covers(place: &Place, endpoint: &Endpoint) -> bool {
    endpoint.scheme == Scheme::Https
        && place.host == endpoint.host
        && place.port == endpoint.port
        && (place.methods.is_empty() || place.methods.contains(&endpoint.method))
        && place.path.as_deref().is_none_or(|prefix| endpoint.path.starts_with_segments(prefix))
}

/// What Reeve knows of well-known credentials, so that adding one needs only its name.
#[derive(Debug, Clone, Copy)]
pub struct KnownKind {
    pub name: &'static str,
    pub title: &'static str,
    pub host: &'static str,
    pub slot: KnownSlot,
    /// Start of a placeholder that satisfies the tools that look at it: Copilot wants a GitHub prefix.
    pub prefix: &'static str,
    pub variables: &'static [&'static str],
    /// How the real ones begin.
    pub begins: &'static [&'static str],
    /// A path whose `GET` shows that the key is taken and costs nothing, and the headers it wants besides.
    pub read: &'static str,
    pub read_headers: &'static [(&'static str, &'static str)],
}

/// Slot of a well-known credential.
#[derive(Debug, Clone, Copy)]
pub enum KnownSlot {
    Bearer,
    Header(&'static str),
}

/// Kinds that `reeve cred add --kind` knows.
pub const KNOWN_KINDS: &[KnownKind] = &[
    KnownKind {
        name: "anthropic",
        title: "Anthropic API key",
        host: "api.anthropic.com",
        slot: KnownSlot::Header("x-api-key"),
        prefix: "sk-ant-api03-",
        variables: &["ANTHROPIC_API_KEY"],
        begins: &["sk-ant-"],
        read: "/v1/models",
        read_headers: &[("anthropic-version", "2023-06-01")],
    },
    KnownKind {
        name: "openai",
        title: "OpenAI API key",
        host: "api.openai.com",
        slot: KnownSlot::Bearer,
        prefix: "sk-proj-",
        // Codex reads `CODEX_API_KEY`, everything else `OPENAI_API_KEY`.
        variables: &["OPENAI_API_KEY", "CODEX_API_KEY"],
        begins: &["sk-"],
        read: "/v1/models",
        read_headers: &[],
    },
    KnownKind {
        name: "gemini",
        title: "Gemini API key",
        host: "generativelanguage.googleapis.com",
        slot: KnownSlot::Header("x-goog-api-key"),
        prefix: "AIzaSy",
        variables: &["GEMINI_API_KEY"],
        begins: &["AIza", "AQ."],
        read: "/v1beta/models",
        read_headers: &[],
    },
    KnownKind {
        name: "github",
        title: "GitHub token",
        host: "api.github.com",
        slot: KnownSlot::Bearer,
        prefix: "github_pat_",
        variables: &["GITHUB_TOKEN", "GH_TOKEN"],
        begins: &["github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        read: "/user",
        read_headers: &[],
    },
];

/// A fresh decoy. Random, so that finding it anywhere is no accident.
#[must_use]
pub fn placeholder(prefix: &str) -> String {
    let random: [u8; 16] = rand::random();
    format!("{prefix}reeve-{}", hex::encode(random))
}
