//! The way to the engine: one connection, made again when it breaks, and the one subscription of the window.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reeve_api::Surface;
use reeve_api::client::{Client, StartOptions};
use reeve_api::contract::approvals::ApprovalsPage;
use reeve_api::contract::calls::{ApprovalsCall, OperationsCall};
use reeve_api::contract::operations::{OperationRowDto, SearchInput, SearchPage};
use reeve_api::contract::status::StatusDto;
use reeve_api::contract::stream::{StreamBatch, StreamMessage};
use reeve_api::contract::{ApiCode, ApiError};
use reeve_api::home::Home;
use serde_json::{Value, json};
use tauri::ipc::Channel;

/// First and longest pause between two tries to reach the engine.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Newest operations that the tray shows.
const RECENT: usize = crate::tray::DECISIONS;

/// Holds the connection; everything the window asks goes through it.
#[derive(Debug)]
pub struct Link {
    home: Home,
    /// Whether the engine may be started from here; the demo brings its own.
    starts: bool,
    client: tokio::sync::Mutex<Option<Client>>,
    heard: Mutex<Heard>,
}

/// What the window was told last, for one that opens later, and where it listens.
#[derive(Default)]
struct Heard {
    channel: Option<Channel<StreamMessage>>,
    last: Option<StreamMessage>,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heard").field("listening", &self.channel.is_some()).finish()
    }
}

impl Link {
    pub fn new(home: Home, starts: bool) -> Self {
        Self { home, starts, client: tokio::sync::Mutex::new(None), heard: Mutex::new(Heard::default()) }
    }

    /// One call of a noun. What belongs to another noun is refused here, because permissions are given by noun.
    ///
    /// # Errors
    /// What the engine says, or `Unreachable`.
    pub async fn call(&self, noun: &str, request: Value) -> Result<Value, ApiError> {
        let name = request.get("call").and_then(Value::as_str).unwrap_or_default();
        if name.split_once('.').is_none_or(|(of, _)| of != noun) {
            return Err(ApiError::new(ApiCode::Invalid, format!("`{noun}` does not take this call")));
        }
        self.ask(request).await
    }

    async fn ask(&self, request: Value) -> Result<Value, ApiError> {
        let client = self.client().await?;
        let answer = client.call_value(request).await;
        if answer.as_ref().is_err_and(|error| error.code == ApiCode::Unreachable) {
            *self.client.lock().await = None;
        }
        answer
    }

    async fn client(&self) -> Result<Client, ApiError> {
        let mut held = self.client.lock().await;
        if let Some(client) = held.as_ref() {
            return Ok(client.clone());
        }
        let client = if self.starts {
            let options = StartOptions { program: Some(engine_program()), passphrase: None };
            Client::connect_or_start(&self.home, Surface::MainWindow, &options).await?
        } else {
            Client::connect(&self.home, Surface::MainWindow).await?
        };
        *held = Some(client.clone());
        Ok(client)
    }

    /// The window listens here from now on; it hears at once whether the engine answers.
    pub fn listen(&self, channel: Channel<StreamMessage>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = heard.last.clone() {
            // A window that is gone already does not hear it.
            let _ = channel.send(last);
        }
        heard.channel = Some(channel);
    }

    /// Follows the engine for ever: batches to the window, every new status to `on_status` (none while it is lost).
    /// The newest operations go to `on_recent`, newest first.
    /// Every batch goes to `on_batch`; the first one holds all that waits.
    pub async fn follow(
        &self,
        on_status: impl Fn(Option<&StatusDto>),
        on_recent: impl Fn(&[OperationRowDto]),
        on_batch: impl Fn(&StreamBatch),
    ) {
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.follow_once(&on_status, &on_recent, &on_batch, &mut pause).await {
                Ok(()) => ApiError::new(ApiCode::Unreachable, "the engine stopped"),
                Err(error) => error,
            };
            *self.client.lock().await = None;
            self.tell(StreamMessage::Lost { error });
            on_status(None);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn follow_once(
        &self,
        on_status: &impl Fn(Option<&StatusDto>),
        on_recent: &impl Fn(&[OperationRowDto]),
        on_batch: &impl Fn(&StreamBatch),
        pause: &mut Duration,
    ) -> Result<(), ApiError> {
        let client = self.client().await?;
        let mut batches = client.subscribe().await?;
        let status: StatusDto = client.call(&json!({ "call": "status.get" })).await?;
        *pause = FIRST_PAUSE;
        let mut recent = newest(&client).await?;
        on_recent(&recent);
        self.tell(StreamMessage::Connected);
        on_status(Some(&status));
        let page: ApprovalsPage = client.call(&ApprovalsCall::List).await?;
        on_batch(&StreamBatch { approvals: page.open, ..StreamBatch::default() });
        // What happened while nobody listened is read again.
        self.tell(StreamMessage::Batch {
            batch: StreamBatch { status: Some(status), lagged: true, ..StreamBatch::default() },
        });
        while let Some(batch) = batches.recv().await {
            if let Some(status) = &batch.status {
                on_status(Some(status));
            }
            on_batch(&batch);
            if batch.lagged {
                recent = newest(&client).await?;
                on_recent(&recent);
            } else if !batch.operations.is_empty() {
                merge(&mut recent, &batch.operations);
                on_recent(&recent);
            }
            self.tell(StreamMessage::Batch { batch });
        }
        Ok(())
    }

    fn tell(&self, message: StreamMessage) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = &heard.channel {
            // A window that is being reloaded listens again in a moment.
            let _ = channel.send(message.clone());
        }
        if !matches!(message, StreamMessage::Batch { .. }) {
            heard.last = Some(message);
        }
    }
}

async fn newest(client: &Client) -> Result<Vec<OperationRowDto>, ApiError> {
    let limit = u32::try_from(RECENT).unwrap_or(1);
    let input = SearchInput { query: String::new(), before: None, limit };
    let page: SearchPage = client.call(&OperationsCall::Search(input)).await?;
    Ok(page.rows)
}

/// Takes in what changed; each operation once, newest first.
fn merge(recent: &mut Vec<OperationRowDto>, changed: &[OperationRowDto]) {
    recent.retain(|row| changed.iter().all(|new| new.id != row.id));
    recent.extend(changed.iter().cloned());
    recent.sort_by_key(|row| std::cmp::Reverse(row.at));
    recent.truncate(RECENT);
}

/// The `reeve` program beside this one, else the one on the path.
pub fn engine_program() -> PathBuf {
    let name = format!("reeve{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(|folder| folder.join(&name)));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}
