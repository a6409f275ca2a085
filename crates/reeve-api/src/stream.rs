//! A subscription: what was committed since the batch before, each thing once, in its newest state.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_domain::event::{Event, EventBody};
use reeve_domain::id::{ApprovalId, OperationId};
use reeve_domain::notice::Notice;
use tokio::sync::Mutex;
use tokio::sync::broadcast::error::RecvError;

use crate::connection::{Caller, try_send};
use crate::contract::stream::StreamBatch;
use crate::host::Host;
use crate::transport::Body;
use crate::transport::local_socket::WriteHalf;

/// How long changes are gathered before they are sent: far below what a person notices, far above one message each.
const GATHER: Duration = Duration::from_millis(40);
/// State that no event announces (a pause that runs out) is looked at this often.
const HEARTBEAT: Duration = Duration::from_millis(800);

#[derive(Default)]
struct Gathered {
    operations: BTreeSet<OperationId>,
    approvals: BTreeSet<ApprovalId>,
    ended_sessions: Vec<String>,
    changed: BTreeSet<String>,
    notices: Vec<Notice>,
    any: bool,
    lagged: bool,
}

impl Gathered {
    fn take(&mut self, events: &[Event]) {
        self.any = true;
        for event in events {
            self.notices.extend(Notice::of(event));
            if let Some(operation) = &event.operation {
                self.operations.insert(operation.clone());
            }
            match &event.body {
                EventBody::ApprovalRequested { approval, .. } => {
                    self.approvals.insert(approval.id.clone());
                }
                EventBody::ApprovalJoined { approval }
                | EventBody::ApprovalExtended { approval, .. }
                | EventBody::ApprovalResolved { approval, .. }
                | EventBody::ApprovalUndone { approval, .. } => {
                    self.approvals.insert(approval.clone());
                }
                // What is on a screen may be gone.
                EventBody::RecordsRemoved { .. } => self.lagged = true,
                EventBody::SessionEnded { .. } => {
                    self.ended_sessions.extend(event.session.as_ref().map(ToString::to_string));
                }
                EventBody::ServerSeen { .. }
                | EventBody::ServerApproved { .. }
                | EventBody::ServerForgotten { .. }
                | EventBody::ToolsChanged { .. }
                | EventBody::ShapeDrifted { .. }
                | EventBody::ToolCutOff { .. }
                | EventBody::ToolBack { .. }
                | EventBody::ServerCrashed { .. }
                | EventBody::ServerRestarted { .. } => {
                    self.changed.insert("servers".to_owned());
                }
                EventBody::CredentialRefused { .. } | EventBody::CredentialAccepted { .. } => {
                    self.changed.insert("credentials".to_owned());
                }
                _ => {}
            }
        }
    }
}

/// Feeds one subscriber until it is gone.
pub(crate) async fn feed(host: &Arc<Host>, write: &Arc<Mutex<WriteHalf>>, caller: &Caller, id: u64) {
    let mut events = host.engine.store().subscribe();
    let mut last_status = None;
    loop {
        let mut gathered = Gathered::default();
        match tokio::time::timeout(HEARTBEAT, events.recv()).await {
            Ok(Ok(batch)) => gathered.take(&batch),
            Ok(Err(RecvError::Lagged(_))) => gathered.lagged = true,
            Ok(Err(RecvError::Closed)) => return,
            Err(_) => {}
        }
        if gathered.any {
            tokio::time::sleep(GATHER).await;
            while let Ok(batch) = events.try_recv() {
                gathered.take(&batch);
            }
        }
        let mut batch = read(host, gathered).await;
        let status = crate::commands::status::status(host, caller.sees_mark()).await.ok();
        if status != last_status {
            batch.status.clone_from(&status);
            last_status = status;
        }
        if !batch.is_empty() && !try_send(write, id, Body::Batch(Box::new(batch))).await {
            return;
        }
        if host.engine.stopping().is_cancelled() {
            return;
        }
    }
}

async fn read(host: &Host, gathered: Gathered) -> StreamBatch {
    let mut batch = StreamBatch {
        ended_sessions: gathered.ended_sessions,
        changed: gathered.changed,
        notices: gathered.notices.into_iter().map(|one| crate::commands::operations::notice(host, one)).collect(),
        lagged: gathered.lagged,
        ..StreamBatch::default()
    };
    for operation in &gathered.operations {
        match host.engine.store().operation(operation).await {
            Ok(Some(row)) => batch.operations.push(crate::commands::operations::row(host, &row)),
            Ok(None) => {}
            Err(_) => batch.lagged = true,
        }
    }
    for approval in &gathered.approvals {
        match host.engine.store().approval(approval).await {
            Ok(Some(found)) => batch.approvals.push(crate::commands::approvals::dto(host, &found)),
            Ok(None) => {}
            Err(_) => batch.lagged = true,
        }
    }
    batch
}
