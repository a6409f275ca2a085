//! The system's own method of proving a human: it asks them in its own window, where an agent that drives the console cannot
//! answer. What it confirmed is a proof for one use within a minute, given back as the passphrase would be.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reeve_domain::approval::Surface;
use reeve_domain::clock::Clock;
use reeve_domain::sensitive::Secret;
use subtle::ConstantTimeEq as _;

/// How long what was found about the method holds.
const KNOWN_FOR: Duration = Duration::from_secs(30);
/// How long it holds that it was asked and had nobody: what it says of itself does not show that, and whoever then chooses a
/// passphrase needs time for it.
const NOBODY_FOR: Duration = Duration::from_secs(600);
/// How long a confirmation waits for the call that it was given for.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// What comes of asking the system; it may take as long as the human does.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// It asked, and its human proved to be there.
    Given,
    /// It asked, and they did not, or not in time: why.
    Refused(String),
    /// It has nobody to ask, or would not ask: why. The passphrase is asked for instead.
    Nobody(String),
}

/// One system's method.
pub trait SystemMethod: fmt::Debug + Send + Sync {
    /// As people know it.
    fn name(&self) -> &'static str;
    /// Whether it could ask; else why not.
    fn ready(&self) -> Asking<'_, Result<(), String>>;
    /// Asks the human at this process of theirs.
    fn ask(&self, process: u32) -> Asking<'_, Confirmation>;
}

/// Owner of the method and of what it confirmed.
#[derive(Debug)]
pub(super) struct System {
    method: Option<Arc<dyn SystemMethod>>,
    clock: Arc<dyn Clock>,
    found: tokio::sync::Mutex<Option<Found>>,
    given: Mutex<Option<Given>>,
    /// Held while it asks: one window of it at a time.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Found {
    state: Result<(), String>,
    /// Monotonic.
    until: Duration,
}

#[derive(Debug)]
struct Given {
    proof: Secret,
    surface: Surface,
    /// Monotonic.
    until: Duration,
}

impl System {
    pub(super) fn new(method: Option<Arc<dyn SystemMethod>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            method,
            clock,
            found: tokio::sync::Mutex::default(),
            given: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Name of the method, and whether it can ask; looked up anew when that is some time ago. `None`: there is none here.
    pub(super) async fn state(&self) -> Option<(&'static str, Result<(), String>)> {
        let method = self.method.as_ref()?;
        let mut found = self.found.lock().await;
        let now = self.clock.monotonic();
        if let Some(known) = found.as_ref().filter(|known| now < known.until) {
            return Some((method.name(), known.state.clone()));
        }
        let state = method.ready().await;
        *found = Some(Found { state: state.clone(), until: now + KNOWN_FOR });
        Some((method.name(), state))
    }

    pub(super) async fn asks(&self) -> bool {
        matches!(self.state().await, Some((_, Ok(()))))
    }

    /// Asks, and keeps what proves it. Who finds nobody to ask is not ready for a while.
    pub(super) async fn ask(&self, process: u32, surface: Surface) -> Result<Secret, Confirmation> {
        let Some(method) = &self.method else {
            return Err(Confirmation::Nobody("this system has no method of its own".to_owned()));
        };
        if let Some((_, Err(why))) = self.state().await {
            return Err(Confirmation::Nobody(why));
        }
        let Ok(_one_at_a_time) = self.asking.try_lock() else {
            return Err(Confirmation::Refused("the system asks already: answer that first".to_owned()));
        };
        match method.ask(process).await {
            Confirmation::Given => {
                let proof = hex::encode(rand::random::<[u8; 32]>());
                let until = self.clock.monotonic() + GOOD_FOR;
                *self.given.lock() = Some(Given { proof: Secret::from(proof.clone()), surface, until });
                Ok(Secret::from(proof))
            }
            Confirmation::Nobody(why) => {
                let until = self.clock.monotonic() + NOBODY_FOR;
                *self.found.lock().await = Some(Found { state: Err(why.clone()), until });
                Err(Confirmation::Nobody(why))
            }
            refused @ Confirmation::Refused(_) => Err(refused),
        }
    }

    /// Whether this is what was given to the same surface a moment ago; it counts once.
    pub(super) fn takes(&self, proof: &Secret, surface: Surface) -> bool {
        let mut given = self.given.lock();
        let good = given.as_ref().is_some_and(|given| {
            given.surface == surface
                && self.clock.monotonic() < given.until
                && bool::from(given.proof.expose().ct_eq(proof.expose()))
        });
        if good {
            *given = None;
        }
        good
    }
}
