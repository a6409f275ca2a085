//! The client side of the socket: what the CLI, the window and `reeve run` hold. Starts the engine when it is absent.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reeve_domain::approval::Surface;
use reeve_domain::sensitive::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::contract::stream::StreamBatch;
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;
use crate::transport::local_socket::{self, WriteHalf};
use crate::transport::{Body, Request, Response};

/// How long a started engine may take until it answers.
const START_WITHIN: Duration = Duration::from_secs(20);

/// One connection to the engine. A session opened on it ends with it.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    surface: Surface,
    next: AtomicU64,
    write: Mutex<WriteHalf>,
    waiting: Arc<waiting::Waiting>,
}

/// Who waits for which answer.
mod waiting {
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};

    use tokio::sync::mpsc::error::TrySendError;

    use super::{Body, StreamBatch, mpsc, oneshot};

    #[derive(Debug, Default)]
    pub struct Waiting {
        table: Mutex<Table>,
    }

    #[derive(Debug, Default)]
    pub struct Table {
        pub calls: HashMap<u64, oneshot::Sender<Body>>,
        pub streams: HashMap<u64, Stream>,
        pub closed: bool,
    }

    /// One subscription.
    #[derive(Debug)]
    pub struct Stream {
        pub batches: mpsc::Sender<StreamBatch>,
        /// The listener was too slow and something was left out: the next batch says so.
        pub missed: bool,
    }

    impl Table {
        pub fn deliver(&mut self, id: u64, mut batch: StreamBatch) {
            let Some(stream) = self.streams.get_mut(&id) else { return };
            batch.lagged |= stream.missed;
            match stream.batches.try_send(batch) {
                Ok(()) => stream.missed = false,
                Err(TrySendError::Full(_)) => stream.missed = true,
                Err(TrySendError::Closed(_)) => {
                    self.streams.remove(&id);
                }
            }
        }
    }

    impl Waiting {
        pub fn with<T>(&self, f: impl FnOnce(&mut Table) -> T) -> T {
            f(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }
}

/// What the engine is started with when it is absent.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// The `reeve` program; none: this process's own.
    pub program: Option<PathBuf>,
    /// Opens the encrypted secrets file, where the profile uses one; handed over through a pipe.
    pub passphrase: Option<Secret>,
}

impl Client {
    /// Connects to the running engine.
    ///
    /// # Errors
    /// `Unreachable` when none answers.
    pub async fn connect(home: &Home, surface: Surface) -> Result<Self, ApiError> {
        let (read, write) = local_socket::connect(&home.socket()).await.map_err(|error| {
            ApiError::new(ApiCode::Unreachable, format!("the engine does not answer: {error}"))
                .hint("`reeve status` starts it; `reeve doctor` says what is wrong")
        })?;
        tracing::debug!(socket = %home.socket().display(), "connected to the engine");
        let waiting = Arc::new(waiting::Waiting::default());
        tokio::spawn(receive(read, Arc::clone(&waiting)));
        Ok(Self(Arc::new(Inner { surface, next: AtomicU64::new(1), write: Mutex::new(write), waiting })))
    }

    /// Connects, and starts the engine first when none answers.
    ///
    /// # Errors
    /// `Unreachable` with the engine's own last words when it does not come up.
    pub async fn connect_or_start(home: &Home, surface: Surface, options: &StartOptions) -> Result<Self, ApiError> {
        if let Ok(client) = Self::connect(home, surface).await {
            return Ok(client);
        }
        let failed =
            |why: String| ApiError::new(ApiCode::Unreachable, format!("the engine could not be started: {why}"));
        let mut child = start(home, options).map_err(|error| failed(error.to_string()))?;
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < START_WITHIN {
            if let Ok(client) = Self::connect(home, surface).await {
                return Ok(client);
            }
            if let Ok(Some(status)) = child.try_wait() {
                // Another starter may have won the race; then its engine answers in a moment.
                if let Ok(client) = Self::connect(home, surface).await {
                    return Ok(client);
                }
                if !status.success() {
                    return Err(failed(last_words(&home.log_file())).hint("`reeve doctor` says what is wrong"));
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(failed(format!("it did not answer within {} s", START_WITHIN.as_secs())))
    }

    /// One call, typed on both sides.
    ///
    /// # Errors
    /// What the engine says, or `Unreachable` when the connection is gone.
    pub async fn call<T: DeserializeOwned>(&self, call: &impl Serialize) -> Result<T, ApiError> {
        let call = serde_json::to_value(call).map_err(|e| ApiError::new(ApiCode::Invalid, e.to_string()))?;
        let value = self.call_value(call).await?;
        serde_json::from_value(value).map_err(|e| {
            ApiError::new(ApiCode::Failed, format!("the engine answered something else: {e}"))
                .hint("console and engine are of different versions: restart the engine")
        })
    }

    /// One call as JSON: `{ "call": "noun.verb", "input": … }`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_value(&self, call: Value) -> Result<Value, ApiError> {
        // The name alone: an input may hold a secret.
        let name = call.get("call").and_then(Value::as_str).unwrap_or_default();
        tracing::debug!(call = name, "asking the engine");
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let open = self.0.waiting.with(|table| {
            table.calls.insert(id, answer);
            !table.closed
        });
        if open {
            self.send(id, call).await?;
        }
        match if open { answered.await.ok() } else { None } {
            Some(Body::Ok(value)) => Ok(value),
            Some(Body::Error(error)) => Err(error),
            Some(Body::Batch(_)) | None => Err(gone()),
        }
    }

    /// Changes as they are committed. Ends when the engine does.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn subscribe(&self) -> Result<mpsc::Receiver<StreamBatch>, ApiError> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (batches, receiver) = mpsc::channel(64);
        let stream = waiting::Stream { batches, missed: false };
        let open = self.0.waiting.with(|table| {
            table.streams.insert(id, stream);
            !table.closed
        });
        if !open {
            return Err(gone());
        }
        self.send(id, json!({ "call": "subscribe" })).await?;
        Ok(receiver)
    }

    async fn send(&self, id: u64, call: Value) -> Result<(), ApiError> {
        let request = Request { id, surface: self.0.surface, call };
        let mut line = serde_json::to_vec(&request).map_err(|e| ApiError::new(ApiCode::Invalid, e.to_string()))?;
        line.push(b'\n');
        self.0.write.lock().await.write_all(&line).await.map_err(|_| gone())
    }
}

fn gone() -> ApiError {
    ApiError::new(ApiCode::Unreachable, "the engine is gone")
}

async fn receive(read: local_socket::ReadHalf, waiting: Arc<waiting::Waiting>) {
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(response) = serde_json::from_str::<Response>(&line) else { continue };
        match response.body {
            Body::Batch(batch) => {
                // Never waits: the one who listens may itself be waiting for an answer that comes behind this batch.
                waiting.with(|table| table.deliver(response.id, *batch));
            }
            body => {
                if let Some(caller) = waiting.with(|table| table.calls.remove(&response.id)) {
                    // A caller that gave up does not want its answer any more.
                    let _ = caller.send(body);
                }
            }
        }
    }
    waiting.with(|table| {
        table.closed = true;
        table.calls = HashMap::new();
        table.streams = HashMap::new();
    });
}

/// Starts `reeve serve`, detached from this terminal, its words going to the log.
fn start(home: &Home, options: &StartOptions) -> std::io::Result<std::process::Child> {
    home.create()?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?,
    };
    let mut private = std::fs::File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut private, 0o600);
    let log = private.create(true).append(true).open(home.log_file())?;
    tracing::debug!(program = %program.display(), log = %home.log_file().display(), "starting the engine");
    let mut command = std::process::Command::new(program);
    command.args(["serve", "--idle-exit", "600"]);
    command.stdout(Stdio::null()).stderr(log);
    command.stdin(if options.passphrase.is_some() { Stdio::piped() } else { Stdio::null() });
    if options.passphrase.is_some() {
        command.arg("--passphrase-stdin");
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    if let (Some(passphrase), Some(mut stdin)) = (&options.passphrase, child.stdin.take()) {
        std::io::Write::write_all(&mut stdin, passphrase.expose())?;
    }
    Ok(child)
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned();
    last.strip_prefix("error: ").or_else(|| last.strip_prefix("reeve: ")).map_or(last.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_is_too_slow_is_told_what_it_missed_and_blocks_nobody() {
        let mut table = waiting::Table::default();
        let (batches, mut listener) = mpsc::channel(2);
        table.streams.insert(7, waiting::Stream { batches, missed: false });
        for _ in 0..5 {
            table.deliver(7, StreamBatch::default());
        }
        assert!(!listener.try_recv().unwrap().lagged && !listener.try_recv().unwrap().lagged);
        table.deliver(7, StreamBatch::default());
        assert!(listener.try_recv().unwrap().lagged);
        table.deliver(7, StreamBatch::default());
        assert!(!listener.try_recv().unwrap().lagged);
        drop(listener);
        table.deliver(7, StreamBatch::default());
        assert!(table.streams.is_empty());
    }
}
