//! One session as a waterfall: its operations nested by parent, in turns, with waiting and work apart, and costs rolled up.
//! Made here in one pass, so that a view of fifty thousand operations only has to draw.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use reeve_domain::id::{OperationId, SessionId};
use reeve_domain::query::{Decided, Key, OperationRow, Query};
use rusqlite::Connection;

use super::plan::{Ix, Plan};
use super::scan::{self, Visit, for_each};
use super::words;
use crate::error::StoreError;
use crate::tables::approvals;

/// Most operations of one waterfall.
pub const MOST_NODES: usize = 50_000;
/// A turn begins with a model call that brings no results of tools, after nothing ran for so long, in milliseconds, or in
/// another conversation than the turn's.
pub const TURN_GAP_MS: u64 = 30_000;

/// An operation in the waterfall. Times in milliseconds; `start_ms` counts from the first operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowNode {
    pub row: OperationRow,
    /// 0 within its turn; children are one deeper than their parent.
    pub depth: u32,
    /// Operations below it, at any depth.
    pub below: u32,
    pub start_ms: u64,
    /// Waited for an answer before anything was sent.
    pub wait_ms: u64,
    /// From being let through to the end; `None` where nothing was sent or it still waits.
    pub work_ms: Option<u64>,
    /// nano-USD settled by it and all below.
    pub cost: i64,
    /// The failed operation that this one repeats.
    pub retry_of: Option<OperationId>,
}

impl FlowNode {
    fn end_ms(&self) -> u64 {
        self.start_ms + self.wait_ms + self.work_ms.unwrap_or(0)
    }
}

/// What an agent did between two silences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowTurn {
    /// Its first node; it reaches to the next turn's.
    pub first: usize,
    pub actions: u64,
    pub denied: u64,
    pub start_ms: u64,
    pub end_ms: u64,
    /// Of that, waiting for answers.
    pub wait_ms: u64,
    /// nano-USD settled.
    pub cost: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flow {
    /// When the first operation was recorded.
    pub began_at: Option<DateTime<Utc>>,
    pub turns: Vec<FlowTurn>,
    /// Oldest first, children behind their parent.
    pub nodes: Vec<FlowNode>,
    /// There are more operations than [`MOST_NODES`]; the oldest are here.
    pub capped: bool,
}

/// The operations of a session that match.
pub fn flow(conn: &Connection, session: &SessionId, query: &Query, now: DateTime<Utc>) -> Result<Flow, StoreError> {
    let mut rows = rows(conn, session, query, now)?;
    let capped = rows.len() > MOST_NODES;
    rows.truncate(MOST_NODES);
    let Some(began_at) = rows.first().map(|row| row.at) else { return Ok(Flow::default()) };
    let mut nodes = Vec::with_capacity(rows.len());
    let mut failed: HashMap<(String, String), (OperationId, bool)> = HashMap::new();
    for row in rows {
        let what = (row.kind.clone(), row.summary.clone());
        let before = failed.insert(what, (row.operation.clone(), has_failed(&row)));
        let retry_of = before.filter(|(_, failed)| *failed).map(|(operation, _)| operation);
        nodes.push(node(conn, row, began_at, retry_of, now)?);
    }
    let mut nodes = nested(nodes);
    let turns = turns(&nodes);
    roll_up(&mut nodes);
    Ok(Flow { began_at: Some(began_at), turns, nodes, capped })
}

/// Oldest first; one more than [`MOST_NODES`] where there are more.
fn rows(
    conn: &Connection,
    session: &SessionId,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Vec<OperationRow>, StoreError> {
    let plan = Plan::new(conn, query, now)?;
    let mut rows = plan.open_rows(conn)?;
    rows.retain(|row| row.session == *session);
    let word = Ix::Word(words::value(Key::Session, session.as_str()));
    let ix = Ix::and(vec![plan.upper.clone(), word]);
    // Newest first is the index's order, so the ids come first and only the oldest rows are read.
    let mut ids = Vec::new();
    scan::for_each_id(conn, &ix, plan.from..plan.until, |id| ids.push(id))?;
    let from = plan.from;
    let until = match ids.len().checked_sub(MOST_NODES + 1) {
        Some(skipped) if plan.exact => ids.get(skipped).map_or(plan.until, |id| id + 1),
        _ => plan.until,
    };
    for_each(conn, &ix, from..until, scan::BODY, |row| {
        let row: OperationRow = scan::body(row)?;
        if plan.exact || plan.keeps(&row) {
            rows.push(row);
        }
        Ok(Visit::Go)
    })?;
    rows.sort_unstable_by_key(|row| row.id);
    Ok(rows)
}

fn has_failed(row: &OperationRow) -> bool {
    row.error.is_some() || row.status.is_some_and(|status| status >= 500 || matches!(status, 408 | 429))
}

fn node(
    conn: &Connection,
    row: OperationRow,
    began_at: DateTime<Utc>,
    retry_of: Option<OperationId>,
    now: DateTime<Utc>,
) -> Result<FlowNode, StoreError> {
    let wait_ms = match &row.approval {
        None => 0,
        Some(_) if row.decision == Decided::Held => between(row.at, now),
        Some(id) => {
            let answered = approvals::find(conn, id)?.and_then(|approval| approval.resolved);
            answered.map_or(0, |answer| between(row.at, answer.at))
        }
    };
    let runs = row.open && row.decision != Decided::Held;
    let work_ms = match row.latency_ms {
        Some(ms) => Some(ms),
        None => runs.then(|| between(row.at, now).saturating_sub(wait_ms)),
    };
    let cost = row.cost.map_or(0, |cost| cost.0);
    let start_ms = between(began_at, row.at);
    Ok(FlowNode { depth: 0, below: 0, start_ms, wait_ms, work_ms, cost, retry_of, row })
}

fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    u64::try_from((to - from).num_milliseconds()).unwrap_or(0)
}

/// Children behind their parent. One whose parent is not here stands for itself; a model call that goes on where another
/// of its conversation left off stands beside that one, or a long conversation would be a stair.
fn nested(nodes: Vec<FlowNode>) -> Vec<FlowNode> {
    let places: HashMap<OperationId, usize> =
        nodes.iter().enumerate().map(|(at, node)| (node.row.operation.clone(), at)).collect();
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut waiting = Vec::new();
    let mut under: Vec<Option<usize>> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let parent = node.row.parent.as_ref().and_then(|parent| places.get(parent)).copied();
        // A parent is older than its child, so nothing can go in circles. What Reeve tries before it asks about a call is
        // recorded before that call: it stands below it as long as the call's own parent is older than both.
        let parent = parent.filter(|parent| {
            *parent < at || !node.row.purpose.is_call() && over(&nodes, &places, *parent).is_none_or(|above| above < at)
        });
        let before = parent.and_then(|parent| nodes.get(parent)).filter(|before| goes_on(&before.row, &node.row));
        let parent = if before.is_some() { parent.and_then(|at| under.get(at).copied().flatten()) } else { parent };
        under.push(parent);
        match parent {
            Some(parent) => children.entry(parent).or_default().push(at),
            None => waiting.push((at, 0)),
        }
    }
    waiting.reverse();
    let mut rest: Vec<Option<FlowNode>> = nodes.into_iter().map(Some).collect();
    let mut found = Vec::with_capacity(rest.len());
    while let Some((at, depth)) = waiting.pop() {
        if let Some(node) = rest.get_mut(at).and_then(Option::take) {
            found.push(FlowNode { depth, ..node });
        }
        waiting.extend(children.remove(&at).into_iter().flatten().rev().map(|child| (child, depth + 1)));
    }
    found
}

/// The place of a node's parent, where it is here.
fn over(nodes: &[FlowNode], places: &HashMap<OperationId, usize>, at: usize) -> Option<usize> {
    nodes.get(at).and_then(|node| node.row.parent.as_ref()).and_then(|parent| places.get(parent)).copied()
}

/// Whether a model call brings the results that an earlier one of the same conversation asked for.
fn goes_on(before: &OperationRow, row: &OperationRow) -> bool {
    before.kind == "llm" && row.kind == "llm" && before.conversation == row.conversation
}

/// Each node's sums of what is below it.
fn roll_up(nodes: &mut [FlowNode]) {
    // Ancestors of the node at hand, by place: behind them come their children.
    let mut above: Vec<usize> = Vec::new();
    let mut parents = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        above.truncate(node.depth as usize);
        parents.push(above.last().copied());
        above.push(at);
    }
    for (at, parent) in parents.into_iter().enumerate().rev() {
        let Some((cost, below)) = nodes.get(at).map(|node| (node.cost, node.below)) else { continue };
        if let Some(parent) = parent.and_then(|parent| nodes.get_mut(parent)) {
            parent.cost = parent.cost.saturating_add(cost);
            parent.below += below + 1;
        }
    }
}

fn turns(nodes: &[FlowNode]) -> Vec<FlowTurn> {
    let mut turns: Vec<FlowTurn> = Vec::new();
    let mut busy_until = 0;
    let mut conversation: Option<&String> = None;
    for (at, node) in nodes.iter().enumerate() {
        let silent = node.start_ms.saturating_sub(busy_until) >= TURN_GAP_MS;
        let model = node.depth == 0 && node.row.kind == "llm";
        let named = node.row.conversation.as_ref().filter(|_| model);
        let other = conversation.is_some() && named.is_some() && conversation != named;
        let begins = turns.is_empty() || (model && node.row.parent.is_none() && (silent || other));
        conversation = if begins { named } else { conversation.or(named) };
        if begins {
            turns.push(FlowTurn {
                first: at,
                actions: 0,
                denied: 0,
                start_ms: node.start_ms,
                end_ms: node.start_ms,
                wait_ms: 0,
                cost: 0,
            });
        }
        busy_until = busy_until.max(node.end_ms());
        if let Some(turn) = turns.last_mut() {
            turn.actions += 1;
            let denied = matches!(node.row.decision, Decided::Denied | Decided::Refused | Decided::Expired);
            turn.denied += u64::from(denied);
            turn.start_ms = turn.start_ms.min(node.start_ms);
            turn.end_ms = turn.end_ms.max(node.end_ms());
            turn.wait_ms += node.wait_ms;
            turn.cost = turn.cost.saturating_add(node.cost);
        }
    }
    turns
}
