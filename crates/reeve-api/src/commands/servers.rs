//! MCP servers and their tools: shown with what changed, approved by a person, counted.

use std::collections::{BTreeMap, HashMap};

use reeve_domain::operation::Digest;
use reeve_domain::query::{self, Query};
use reeve_domain::server::{ServerIdentity, Standing, ToolRecord, pinned};
use reeve_engine::breakers::Open;
use reeve_engine::servers::{Approve, Declaration, Drift, Known, MCP_FILE, Start, identity_digest};
use serde_json::{Value, json};

use super::{answer, invalid, not_found};
use crate::contract::ApiError;
use crate::contract::calls::ServersCall;
use crate::contract::servers::{
    ApproveServerInput, CutOffDto, DriftDto, EndsDto, FieldDiffDto, HealthDto, IdentityDto, PinnedFileDto,
    ServerDetailDto, ServerDto, ServerToolDto, ServersDto, ShapeChangeDto, StatsInput, ToolStatDto, ToolStatsDto,
    ToolVersionDto,
};
use crate::host::Host;

mod diff;

/// What *health* counts.
const RECENT: &str = "since:7d";

/// Server and tool to how their recent calls ended.
type Recent = HashMap<(String, String), EndsDto>;

pub(crate) async fn run(host: &Host, call: ServersCall) -> Result<Value, ApiError> {
    let servers = host.engine.servers();
    match call {
        ServersCall::List => {}
        ServersCall::Get(input) => return answer(&detail(host, &input.server).await?),
        ServersCall::Stats(input) => return answer(&stats(host, &input).await?),
        ServersCall::Approve(input) => {
            let server = input.server.clone();
            servers.approve(&approve(input), &super::approvals::whoami()).await?;
            return answer(&detail(host, &server).await?);
        }
        ServersCall::Forget(input) => servers.forget(&input.server, &super::approvals::whoami()).await?,
        ServersCall::Add(input) => {
            let declaration = Declaration { start: input.declaration.into() };
            servers.declare(&input.server, &declaration).await?;
        }
        ServersCall::Remove(input) => {
            if !servers.undeclare(&input.server).await? {
                return Err(not_found("declared server", &input.server));
            }
        }
    }
    answer(&list(host).await?)
}

fn approve(input: ApproveServerInput) -> Approve {
    Approve {
        server: input.server,
        identity: input.identity.map(Digest),
        tools: input.tools.into_iter().map(|tool| (tool.name, Digest(tool.digest))).collect(),
    }
}

async fn list(host: &Host) -> Result<ServersDto, ApiError> {
    let servers = host.engine.servers();
    let recent = recent(host).await?;
    let declared = servers.declared();
    let mut all: BTreeMap<String, ServerDto> = BTreeMap::new();
    for known in servers.all() {
        let name = known.record.name.clone();
        all.insert(name.clone(), seen(host, &known, declared.get(&name), &recent));
    }
    for (name, declaration) in declared.iter() {
        all.entry(name.clone()).or_insert_with(|| unseen(host, name, declaration));
    }
    Ok(ServersDto {
        servers: all.into_values().collect(),
        to_review: small(servers.to_review()),
        problem: servers.problem(),
        file: host.home.config.join(MCP_FILE).display().to_string(),
    })
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn seen(host: &Host, known: &Known, declaration: Option<&Declaration>, recent: &Recent) -> ServerDto {
    let record = &known.record;
    let mut ends = EndsDto::default();
    recent.iter().filter(|((server, _), _)| *server == record.name).for_each(|(_, one)| ends.add(*one));
    let present = || known.tools.values().filter(|tool| tool.present);
    ServerDto {
        name: record.name.clone(),
        standing: Some(record.standing().into()),
        transport: record.seen.transport.as_str().to_owned(),
        declared: declaration.map(|declaration| (&declaration.start).into()),
        version: record.seen.reported.as_ref().map(|reported| reported.version.clone()),
        tools: small(present().count()),
        to_review: small(known.to_review()),
        findings: small(present().filter(|tool| !tool.findings.is_empty()).count()),
        first_seen: Some(record.first_seen),
        changed_at: Some(record.changed_at),
        approved_at: record.approved_at,
        approved_by: record.approved_by.clone(),
        health: HealthDto::of(ends),
        cut_off: cut_off(host, &record.name),
        endpoint: declaration.map(|_| host.endpoint.url_of(&record.name)),
    }
}

fn cut_off(host: &Host, server: &str) -> Vec<CutOffDto> {
    let dto = |(tool, open): (Option<String>, Open)| CutOffDto {
        tool,
        why: open.why,
        since: open.since,
        next_trial: open.until,
        failures: open.failures,
    };
    host.engine.breakers().of_server(server).into_iter().map(dto).collect()
}

fn unseen(host: &Host, name: &str, declaration: &Declaration) -> ServerDto {
    let transport = match declaration.start {
        Start::Stdio { .. } => "stdio",
        Start::Http { .. } => "http",
    };
    ServerDto {
        name: name.to_owned(),
        standing: None,
        transport: transport.to_owned(),
        declared: Some((&declaration.start).into()),
        version: None,
        tools: 0,
        to_review: 0,
        findings: 0,
        first_seen: None,
        changed_at: None,
        approved_at: None,
        approved_by: None,
        health: HealthDto::default(),
        cut_off: Vec::new(),
        endpoint: Some(host.endpoint.url_of(name)),
    }
}

async fn detail(host: &Host, name: &str) -> Result<ServerDetailDto, ApiError> {
    let servers = host.engine.servers();
    let declared = servers.declared();
    let Some(known) = servers.find(name) else {
        let declaration = declared.get(name).ok_or_else(|| not_found("server", name))?;
        let server = unseen(host, name, declaration);
        return Ok(ServerDetailDto {
            server,
            identity: None,
            approved: Vec::new(),
            diff: Vec::new(),
            tools: Vec::new(),
        });
    };
    let recent = recent(host).await?;
    let mut tools = Vec::with_capacity(known.tools.len());
    for record in known.tools.values() {
        let drifts = servers.shape(record).await?.map(|shape| shape.drifts).unwrap_or_default();
        let ends = recent.get(&(name.to_owned(), record.name.clone())).copied().unwrap_or_default();
        tools.push(tool(record, &drifts, ends));
    }
    let waits = |tool: &ServerToolDto| {
        use crate::contract::servers::StandingDto::{Approved, Changed, Gone, New};
        match tool.standing {
            Changed => 0,
            New => 1,
            Approved => 2,
            Gone => 3,
        }
    };
    tools.sort_by_key(waits);
    let record = &known.record;
    let last = record.approved.last();
    let differs = last.filter(|_| record.standing() == Standing::Changed);
    Ok(ServerDetailDto {
        server: seen(host, &known, declared.get(name), &recent),
        identity: Some(identity(&record.seen)),
        approved: record.approved.iter().rev().map(identity).collect(),
        diff: differs.map(|approved| identities(approved, &record.seen)).unwrap_or_default(),
        tools,
    })
}

/// What differs between two identities, in the words of the contract.
fn identities(before: &ServerIdentity, after: &ServerIdentity) -> Vec<FieldDiffDto> {
    let shown = |one: &ServerIdentity| {
        let files: serde_json::Map<String, Value> =
            one.files.iter().map(|file| (file.path.clone(), json!(file.digest.as_ref().map(Digest::as_str)))).collect();
        json!({
            "transport": one.transport.as_str(),
            "command": one.command.join(" "),
            "commandDigest": one.command_digest.as_ref().map(Digest::as_str),
            "files": files,
            "url": one.url,
            "name": one.reported.as_ref().map(|reported| &reported.name),
            "version": one.reported.as_ref().map(|reported| &reported.version),
        })
    };
    diff::fields(&shown(before), &shown(after))
}

fn identity(one: &ServerIdentity) -> IdentityDto {
    let file = |file: &reeve_domain::server::PinnedFile| PinnedFileDto {
        path: file.path.clone(),
        digest: file.digest.as_ref().map(|digest| digest.0.clone()),
    };
    IdentityDto {
        digest: identity_digest(one).0,
        transport: one.transport.as_str().to_owned(),
        command: one.command.clone(),
        files: one.files.iter().map(file).collect(),
        url: one.url.clone(),
        name: one.reported.as_ref().map(|reported| reported.name.clone()),
        version: one.reported.as_ref().map(|reported| reported.version.clone()),
    }
}

fn tool(record: &ToolRecord, drifts: &[Drift], ends: EndsDto) -> ServerToolDto {
    let text = |key: &str| record.definition.get(key).and_then(Value::as_str).map(str::to_owned);
    let claims = record.definition.get("annotations").and_then(Value::as_object);
    let claim = |(name, value): (&String, &Value)| Some((name.clone(), value.as_bool()?));
    let approved = record.approved().filter(|_| record.standing() == Standing::Changed);
    ServerToolDto {
        name: record.name.clone(),
        title: text("title"),
        description: text("description"),
        standing: record.standing().into(),
        digest: record.digest.0.clone(),
        annotations: claims.into_iter().flatten().filter_map(claim).collect(),
        findings: record.findings.iter().map(Into::into).collect(),
        diff: approved.map(|version| definitions(&version.definition, &record.definition)).unwrap_or_default(),
        definition: record.definition.clone(),
        versions: versions(record),
        drifts: drifts.iter().rev().map(drift).collect(),
        changed_at: record.changed_at,
        health: HealthDto::of(ends),
    }
}

fn definitions(before: &Value, after: &Value) -> Vec<FieldDiffDto> {
    diff::fields(&pinned(before), &pinned(after))
}

fn versions(record: &ToolRecord) -> Vec<ToolVersionDto> {
    let before = std::iter::once(None).chain(record.versions.iter().map(Some));
    let mut all: Vec<ToolVersionDto> = record
        .versions
        .iter()
        .zip(before)
        .map(|(version, before)| ToolVersionDto {
            digest: version.digest.0.clone(),
            seen_at: version.seen_at,
            approved_at: version.approved_at,
            approved_by: version.approved_by.clone(),
            diff: before.map(|before| definitions(&before.definition, &version.definition)).unwrap_or_default(),
        })
        .collect();
    all.reverse();
    all
}

fn drift(one: &Drift) -> DriftDto {
    let change = |change: &reeve_domain::server::ShapeChange| ShapeChangeDto {
        path: change.path.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
    };
    DriftDto { at: one.at, changes: one.changes.iter().map(change).collect() }
}

async fn recent(host: &Host) -> Result<Recent, ApiError> {
    let query = query::parse(RECENT).query;
    let mut recent = Recent::new();
    for one in host.engine.store().ends(&query).await?.ended {
        recent.entry((one.server, one.tool)).or_default().add(EndsDto::of(one.counts));
    }
    Ok(recent)
}

/// A query that is not understood counts nothing, rather than something else.
fn queried(text: &str) -> Result<Query, ApiError> {
    let parsed = query::parse(text);
    match parsed.problems.first() {
        Some(problem) => Err(invalid(&problem.message)),
        None => Ok(parsed.query),
    }
}

async fn stats(host: &Host, input: &StatsInput) -> Result<ToolStatsDto, ApiError> {
    let query = queried(&input.query)?;
    let counted = host.engine.store().ends(&query).await?;
    let mut total = EndsDto::default();
    let mut stats: Vec<ToolStatDto> = Vec::with_capacity(counted.ended.len());
    for one in counted.ended {
        let ends = EndsDto::of(one.counts);
        total.add(ends);
        let (agent, server, tool, definition) = (one.agent, one.server, one.tool, one.definition);
        stats.push(ToolStatDto { agent, server, tool, definition, rate: ends.rate(), ends });
    }
    stats.sort_by(|a, b| {
        (&a.server, &a.tool, &a.agent, &a.definition).cmp(&(&b.server, &b.tool, &b.agent, &b.definition))
    });
    Ok(ToolStatsDto { stats, total: HealthDto::of(total), capped: counted.capped })
}
