//! A server process that is started anew when it crashes: after 0.5 s, then 1 s, 2 s … 30 s, with the agent's own greeting said
//! again. One that never spoke does not come back, and neither does one that ended in order.

use std::time::{Duration, Instant};

use reeve_mcp::queue::{Receiver, Sender, Weigh, queue};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::QUEUE;
use super::child::{Child, Exit};
use crate::contract::ApiError;

/// The first wait before a server that crashed is started anew; it doubles with every crash.
const FIRST: Duration = Duration::from_millis(500);
/// The longest such wait.
const LONGEST: Duration = Duration::from_secs(30);
/// A server that ran so long is trusted as if it had never crashed.
const SETTLED: Duration = Duration::from_secs(60);
/// How long a server that was started anew may take to answer the greeting.
const GREETING: Duration = Duration::from_secs(30);
/// The id of a greeting that is said again.
const AGAIN: &str = "reeve-greets-again";

/// What is heard of a server.
#[derive(Debug)]
pub(crate) enum Said {
    Line(Vec<u8>),
    /// It crashed, and why and when it is started anew.
    Down {
        why: String,
        again: Duration,
    },
    /// It runs again; what it answered to the greeting, where there was one.
    Up {
        greeting: Option<Value>,
    },
    /// It is over.
    Ended,
}

impl Weigh for Said {
    fn weight(&self) -> usize {
        match self {
            Self::Line(line) => line.len(),
            Self::Down { .. } | Self::Up { .. } | Self::Ended => 0,
        }
    }
}

/// How a server is started; each time the same.
pub(crate) type Start = Box<dyn Fn() -> Result<Child, ApiError> + Send + Sync>;

/// A server, over all its lives.
pub(crate) struct Lives {
    input: Option<Sender<Vec<u8>>>,
    said: Receiver<Said>,
    stop: Option<oneshot::Sender<Exit>>,
    task: JoinHandle<i32>,
}

impl Lives {
    /// # Errors
    /// When it cannot be started the first time.
    pub fn start(start: Start) -> Result<Self, ApiError> {
        let child = start()?;
        let (input, messages) = queue(QUEUE);
        let (tell, said) = queue(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper { start, messages: Some(messages), tell, stopped, greeting: Greeting::default() };
        Ok(Self { input: Some(input), said, stop: Some(stop), task: tokio::spawn(keeper.keep(running(child))) })
    }

    /// Where its messages go; closing it ends the server in the usual way.
    pub fn input(&mut self) -> Option<Sender<Vec<u8>>> {
        self.input.take()
    }

    /// What is heard next; [`Said::Ended`] for ever after its end. May be cancelled.
    pub async fn hear(&mut self) -> Said {
        match self.said.recv().await {
            Some(said) => said,
            None => Said::Ended,
        }
    }

    /// Ends it with all it started, and returns its exit code as a shell tells it.
    pub async fn end(mut self, how: Exit) -> i32 {
        if let Some(stop) = self.stop.take() {
            // One that ended by itself does not hear it.
            let _ = stop.send(how);
        }
        // Whatever it says last is heard by nobody, and must not hold it up.
        self.said.close();
        (&mut self.task).await.unwrap_or(1)
    }
}

/// What the agent opened the conversation with, for a server that did not hear it.
#[derive(Debug, Default)]
struct Greeting {
    request: Option<Value>,
    initialized: Option<Vec<u8>>,
}

impl Greeting {
    /// Looks at what goes to the server.
    fn note(&mut self, message: &[u8]) {
        if self.initialized.is_some() {
            return;
        }
        // Cheap before it is read: a greeting is short and comes once.
        let Some(read) = serde_json::from_slice::<Value>(message).ok().filter(Value::is_object) else { return };
        match read.get("method").and_then(Value::as_str) {
            Some("initialize") if self.request.is_none() => self.request = Some(read),
            Some("notifications/initialized") => self.initialized = Some(message.to_vec()),
            _ => {}
        }
    }
}

struct Keeper {
    start: Start,
    /// `None`: nobody says anything to it any more.
    messages: Option<Receiver<Vec<u8>>>,
    tell: Sender<Said>,
    stopped: oneshot::Receiver<Exit>,
    greeting: Greeting,
}

/// A server that runs, and where its messages go.
type Running = (Child, Option<Sender<Vec<u8>>>);

fn running(mut child: Child) -> Running {
    let input = child.input();
    (child, input)
}

impl Keeper {
    async fn keep(mut self, mut running: Running) -> i32 {
        let (mut crashes, mut spoke) = (0, false);
        loop {
            let begun = Instant::now();
            let exit = self.live(&mut running, &mut spoke).await;
            let (mut child, input) = running;
            drop(input);
            let code = child.end(exit).await;
            let crashed = exit == Exit::Server && code != 0 && spoke && self.messages.is_some();
            if !crashed {
                // Whoever ended it does not listen any more.
                let _ = self.tell.send(Said::Ended).await;
                return code;
            }
            crashes = if begun.elapsed() >= SETTLED { 1 } else { crashes + 1 };
            match self.anew(format!("it ended with status {code}"), &mut crashes).await {
                Some(next) => running = next,
                None => return code,
            }
        }
    }

    /// One life, until it ends or is ended. `spoke`: it said a message at some time.
    async fn live(&mut self, (child, input): &mut Running, spoke: &mut bool) -> Exit {
        let Self { messages, tell, stopped, greeting, .. } = self;
        loop {
            tokio::select! {
                how = &mut *stopped => return how.unwrap_or(Exit::Told),
                message = next(messages) => {
                    let Some(message) = message else {
                        (*messages, *input) = (None, None);
                        continue;
                    };
                    greeting.note(&message);
                    if let Some(input) = input {
                        tokio::select! {
                            // A server that takes nothing any more is about to end.
                            _ = input.send(message) => {}
                            how = &mut *stopped => return how.unwrap_or(Exit::Told),
                        }
                    }
                }
                line = child.line() => {
                    let Some(line) = line else { return Exit::Server };
                    *spoke = *spoke || reeve_mcp::message::parse(&line).is_ok();
                    tokio::select! {
                        _ = tell.send(Said::Line(line)) => {}
                        how = &mut *stopped => return how.unwrap_or(Exit::Told),
                    }
                }
            }
        }
    }

    /// Starts it again and again until it runs; `None`: it is not wanted any more.
    async fn anew(&mut self, mut why: String, crashes: &mut u32) -> Option<Running> {
        loop {
            let again = wait(*crashes);
            let down = Said::Down { why: why.clone(), again };
            tokio::select! {
                told = self.tell.send(down) => told.ok()?,
                _ = &mut self.stopped => return None,
            }
            if !self.rest(again).await {
                return None;
            }
            match self.greeted().await? {
                Ok((running, greeting)) => {
                    self.tell.send(Said::Up { greeting }).await.ok()?;
                    return Some(running);
                }
                Err(failed) => why = failed,
            }
            *crashes += 1;
        }
    }

    /// Waits, and lets go of what was meant for the life before; `false`: it is not wanted any more.
    async fn rest(&mut self, time: Duration) -> bool {
        let until = tokio::time::Instant::now() + time;
        while self.messages.is_some() {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return true,
                _ = &mut self.stopped => return false,
                message = next(&mut self.messages) => match message {
                    Some(message) => self.greeting.note(&message),
                    None => self.messages = None,
                },
            }
        }
        false
    }

    /// Starts it and greets it; `None`: it is not wanted any more; an error: why it does not run.
    async fn greeted(&mut self) -> Option<Result<(Running, Option<Value>), String>> {
        let mut running = match (self.start)() {
            Ok(child) => running(child),
            Err(error) => return Some(Err(error.message)),
        };
        let answered = tokio::select! {
            answered = greet(&self.greeting, &mut running) => answered,
            () = tokio::time::sleep(GREETING) => Err("it does not answer the greeting".to_owned()),
            _ = &mut self.stopped => Err(String::new()),
        };
        match answered {
            Ok(greeting) => Some(Ok((running, greeting))),
            Err(why) => {
                let (mut child, input) = running;
                drop(input);
                let code = child.end(Exit::Told).await;
                (!why.is_empty()).then(|| Err(format!("{why} (status {code})")))
            }
        }
    }
}

/// The next message for a server; never one where nobody says anything any more.
async fn next(messages: &mut Option<Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match messages {
        Some(messages) => messages.recv().await,
        None => std::future::pending().await,
    }
}

/// Says the agent's greeting again, where it said one, and gives the answer to it.
async fn greet(greeting: &Greeting, (child, input): &mut Running) -> Result<Option<Value>, String> {
    let (Some(request), Some(input)) = (&greeting.request, input) else { return Ok(None) };
    let gone = || "it ended before it was greeted".to_owned();
    let mut request = request.clone();
    if let Some(id) = request.get_mut("id") {
        *id = Value::from(AGAIN);
    }
    input.send(request.to_string().into_bytes()).await.map_err(|_| gone())?;
    let answer = loop {
        let line = child.line().await.ok_or_else(gone)?;
        // What it says before that is for a conversation that did not begin.
        let read = serde_json::from_slice::<Value>(&line).ok();
        if let Some(answer) = read.filter(|read| read.get("id").and_then(Value::as_str) == Some(AGAIN)) {
            break answer;
        }
    };
    let result = answer.get("result").cloned().ok_or_else(|| "it turned the greeting down".to_owned())?;
    if let Some(initialized) = &greeting.initialized {
        input.send(initialized.clone()).await.map_err(|_| gone())?;
    }
    Ok(Some(result))
}

/// How long a server that crashed so often in a row is left alone.
fn wait(crashes: u32) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(crashes.saturating_sub(1).min(12))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_crashes_again_and_again_is_left_alone_longer_but_not_for_ever() {
        let waits: Vec<u128> = (1..=9).map(|crashes| wait(crashes).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        assert_eq!(wait(u32::MAX), LONGEST);
    }

    #[test]
    fn only_the_first_greeting_is_kept() {
        let mut greeting = Greeting::default();
        for line in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"a":1}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"a":2}}"#,
        ] {
            greeting.note(line.as_bytes());
        }
        assert_eq!(greeting.request.unwrap()["params"]["a"], 1);
        assert!(greeting.initialized.is_some());
    }
}
