//! Calls whose result comes later: the server answers with a task, and the agent fetches what came of it. The call is over once
//! that was fetched, and its result passes the same stage as one that came at once.

use std::sync::Arc;

use parking_lot::Mutex;
use reeve_domain::id::SessionId;
use reeve_domain::obligation::Obligation;
use reeve_domain::operation::Operation;
use reeve_domain::outcome::Ending;
use reeve_engine::LiveSession;
use reeve_engine::idempotency::Held;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::acting::{Acting, STOPPED};
use crate::call::{Call, Failed, Reply, conclude, limit};
use crate::gateway::Gateway;
use crate::link::ServerRef;
use crate::message::{self, Answer};
use crate::result::Examined;
use crate::upstream::Failure;

/// Most tasks of one session that are remembered; the oldest go first.
const MOST: usize = 256;
/// Why a task that nobody fetched is over.
const NOT_FETCHED: &str = "its result was not fetched in the time that it may take";
/// Why a task is over whose server ended or crashed.
const SERVER_GONE: &str = "the server is gone";
/// Why a task is over that is not remembered any more.
const FORGOTTEN: &str = "too many newer tasks were begun";

/// One call that goes on as a task.
pub(crate) struct Task {
    id: String,
    call: Call,
    operation: Operation,
    obligations: Vec<Obligation>,
    /// `None`: what came of it is settled.
    open: Mutex<Option<(Acting, Option<Box<Held>>)>>,
    settled: CancellationToken,
    revoked: CancellationToken,
}

/// The tasks of all sessions, oldest first.
pub(crate) type Tasks = Mutex<std::collections::HashMap<SessionId, Vec<Arc<Task>>>>;

/// The id of the task that an answer to a call begins, in the words of either protocol. What holds a result besides is none.
pub(crate) fn begun(call: &Call, result: &Value) -> Option<String> {
    named(call, result)?.as_str().map(str::to_owned)
}

/// Whether it begins a task of which nobody could tell what came of it, because its id is no text.
pub(crate) fn is_unnamed(call: &Call, result: &Value) -> bool {
    named(call, result).is_some_and(|id| !id.is_string())
}

fn named<'a>(call: &Call, result: &'a Value) -> Option<&'a Value> {
    if result.get("content").is_some() || result.get("structuredContent").is_some() {
        return None;
    }
    let asked = call.rest.contains_key("task").then(|| result.pointer("/task/taskId")).flatten();
    let told = || result.get("taskId").filter(|_| result.get("resultType").is_some_and(|kind| kind == "task"));
    asked.or_else(told)
}

/// Why a message about a task is turned away: what came of the task would pass unseen.
pub const UNNAMED: &str = "word of a task whose id is no text";

/// The methods by which agents hear of a task, and whether the answer is the result itself.
#[must_use]
pub fn fetches(method: &str) -> Option<bool> {
    match method {
        "tasks/result" => Some(true),
        "tasks/get" => Some(false),
        _ => None,
    }
}

/// Whether a server's notification may hold the result of a task.
#[must_use]
pub fn is_told(method: &str) -> bool {
    method == "notifications/tasks" || method == "notifications/tasks/status"
}

impl Gateway {
    /// The server goes on by itself: the agent hears of the task, and the call stays open.
    pub(crate) async fn begins(
        &self,
        call: Call,
        id: String,
        (acting, held): (Acting, Option<Box<Held>>),
        result: Value,
    ) -> Reply {
        let Some(admission) = acting.admission() else { return Reply::Nothing };
        let (operation, obligations) = (admission.operation().clone(), admission.obligations().to_vec());
        let revoked = admission.revoked().clone();
        self.bore(&operation, Ok(&result)).await;
        let session = Arc::clone(&call.session);
        let task = Arc::new(Task {
            id,
            // Nothing of the connection that it came in is kept.
            call: Call { progress: None, ..call },
            operation,
            obligations,
            open: Mutex::new(Some((acting, held))),
            settled: CancellationToken::new(),
            revoked,
        });
        tokio::spawn(watch(Arc::clone(&task)));
        for forgotten in self.keep(&session, task) {
            forgotten.lost(FORGOTTEN).await;
        }
        Reply::Answer(Answer::Result(result))
    }

    /// Remembers a task; what is forgotten for that nobody can fetch any more.
    fn keep(&self, session: &LiveSession, task: Arc<Task>) -> Vec<Arc<Task>> {
        let mut all = self.tasks().lock();
        let known = all.entry(session.id().clone()).or_insert_with(|| {
            self.forget_after(session);
            Vec::new()
        });
        let mut forgotten: Vec<_> = known.extract_if(.., |one| one.is(&task.call.server, &task.id)).collect();
        if known.len() >= MOST {
            forgotten.push(known.remove(0));
        }
        known.push(task);
        forgotten
    }

    fn task(&self, session: &LiveSession, server: &ServerRef, id: &str) -> Option<Arc<Task>> {
        self.tasks().lock().get(session.id())?.iter().find(|one| one.is(server, id)).cloned()
    }

    /// The server is gone, and its tasks with it: what came of them nobody will hear.
    pub(crate) async fn let_go_of_tasks(&self, session: &LiveSession, server: &ServerRef) {
        let gone: Vec<_> = match self.tasks().lock().get_mut(session.id()) {
            Some(known) => known.extract_if(.., |one| Arc::ptr_eq(&one.call.server.seen, &server.seen)).collect(),
            None => return,
        };
        for task in gone {
            task.lost(SERVER_GONE).await;
        }
    }

    /// What a server says of a task, as the agent may hear it. `whole`: it is the result itself, not one inside of what is told.
    pub async fn task_told(
        &self,
        session: &LiveSession,
        server: &ServerRef,
        id: &str,
        whole: bool,
        answer: Answer,
    ) -> Answer {
        let Answer::Result(mut told) = answer else {
            // Only the result itself ends the call.
            return match self.task(session, server, id).filter(|_| whole) {
                Some(task) => self.came(&task, answer).await,
                None => answer,
            };
        };
        let inside = ["result", "error"].into_iter().find(|key| told.get(key).is_some_and(|came| !came.is_null()));
        let cancelled = told.get("status").is_some_and(|status| status == "cancelled");
        if !whole && inside.is_none() && !cancelled {
            return Answer::Result(told);
        }
        let Some(task) = self.task(session, server, id) else {
            if (!whole && inside.is_none()) || self.observes(session) {
                return Answer::Result(told);
            }
            return message::failure(-32602, "Reeve knows of no call that began this task, so its result is held back");
        };
        if whole {
            return self.came(&task, Answer::Result(told)).await;
        }
        let Some((key, place)) = inside.and_then(|key| Some((key, told.get_mut(key)?))) else {
            task.over(|_| Ending::CutByClient, "the agent cancelled its task").await;
            return Answer::Result(told);
        };
        let came = match key {
            "result" => Answer::Result(place.take()),
            _ => Answer::Error(place.take()),
        };
        *place = match self.came(&task, came).await {
            Answer::Result(result) => result,
            Answer::Error(error) => error,
        };
        Answer::Result(told)
    }

    /// The result of a task, or the error in its place, through the stage that every result passes. The first time it ends the call.
    async fn came(&self, task: &Task, answer: Answer) -> Answer {
        if task.revoked.is_cancelled() {
            return message::failure(-32000, format!("{} was cut: {STOPPED}", task.operation.summary));
        }
        let open = task.open.lock().take();
        task.settled.cancel();
        let result = match answer {
            Answer::Result(result) => result,
            Answer::Error(error) => {
                if let Some((acting, held)) = open {
                    // The task failed or is forgotten: what it did until then nobody knows.
                    lost(held).await;
                    conclude(&task.call, acting, Err(Failed::Upstream(Failure::Rpc(error.clone()))));
                }
                return Answer::Error(error);
            }
        };
        self.looked_like(&task.call, &result);
        let examined = self.examine(&task.call, &task.operation, &task.obligations, result).await;
        let Examined { kept, came, data, instead } = examined;
        let shown = instead.unwrap_or_else(|| kept.clone());
        let Some((mut acting, held)) = open else { return Answer::Result(shown) };
        (acting.outcome.result, acting.outcome.result_data) = (Some(came), data);
        self.learn(&task.operation, &acting, held, &Ok(kept)).await;
        match self.warned(&task.operation, conclude(&task.call, acting, Ok(shown.clone()))) {
            Reply::Answer(answer) => answer,
            Reply::Nothing => Answer::Result(shown),
        }
    }
}

impl Task {
    fn is(&self, server: &ServerRef, id: &str) -> bool {
        self.id == id && Arc::ptr_eq(&self.call.server.seen, &server.seen)
    }

    /// Ends the call of a task that is not remembered any more, unless its rules ended it.
    async fn lost(&self, why: &str) {
        if self.revoked.is_cancelled() {
            return self.over(|why| Ending::CutByReeve { why }, STOPPED).await;
        }
        self.over(|_| Ending::Unknown, why).await;
    }

    /// Ends the call without a result.
    async fn over(&self, how: impl FnOnce(String) -> Ending, why: &str) {
        let open = self.open.lock().take();
        self.settled.cancel();
        if let Some((mut acting, held)) = open {
            lost(held).await;
            acting.cut(how, why);
        }
    }
}

async fn lost(held: Option<Box<Held>>) {
    if let Some(held) = held
        && let Err(error) = held.lost().await
    {
        tracing::error!(%error, "that nobody knows what came of a task is not kept");
    }
}

/// Ends a call whose task is not fetched in its time, or whose rules do not hold any more.
async fn watch(task: Arc<Task>) {
    let time = limit(&task.obligations);
    tokio::select! {
        biased;
        () = task.settled.cancelled() => {}
        () = task.revoked.cancelled() => task.over(|why| Ending::CutByReeve { why }, STOPPED).await,
        () = tokio::time::sleep(time) => task.over(|_| Ending::Unknown, NOT_FETCHED).await,
    }
}
