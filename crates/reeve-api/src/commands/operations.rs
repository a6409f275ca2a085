//! Operations: searched, counted, shown whole, exported.

use std::path::PathBuf;

use reeve_domain::chain::{ExportFormat, Scanner};
use reeve_domain::event::{Event, EventBody};
use reeve_domain::id::OperationId;
use reeve_domain::notice::Notice;
use reeve_domain::operation::Purpose;
use reeve_domain::query::{self, Decided, Key, OperationRow};
use reeve_store::search::{Bin, FacetValue, Page};
use serde_json::Value;

use super::{answer, invalid, not_found};
use crate::contract::calls::OperationsCall;
use crate::contract::notices::NoticeDto;
use crate::contract::operations::{
    AnnotateInput, BinDto, CostDto, CostliestInput, ExportFormatDto, ExportInput, ExportedDto, FacetGroupDto,
    FacetValueDto, FacetsDto, FacetsInput, OperationDetailDto, OperationRowDto, QueryProblemDto, RowStateDto,
    SearchInput, SearchPage, ValuesDto, ValuesInput,
};
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;
use crate::views;

/// Most rows of one page.
pub(super) const PAGE: u32 = 500;
/// Bars of the histogram.
const BINS: usize = 100;

pub(crate) async fn run(host: &Host, call: OperationsCall) -> Result<Value, ApiError> {
    match call {
        OperationsCall::Search(input) => answer(&search(host, input).await?),
        OperationsCall::Costliest(input) => answer(&costliest(host, &input).await?),
        OperationsCall::Facets(input) => answer(&facets(host, &input).await?),
        OperationsCall::Get(input) => answer(&detail(host, &input.operation).await?),
        OperationsCall::Export(input) => answer(&export(host, input).await?),
        OperationsCall::Values(input) => answer(&values(host, &input).await?),
        OperationsCall::Views => answer(&views::read(&host.home)?),
        OperationsCall::SaveView(view) => answer(&host.views.save(&host.home, &view)?),
        OperationsCall::Annotate(input) => answer(&annotate(host, input).await?),
        OperationsCall::RemoveView(input) => answer(&host.views.remove(&host.home, &input.name)?),
    }
}

async fn search(host: &Host, input: SearchInput) -> Result<SearchPage, ApiError> {
    let parsed = query::parse(&input.query);
    let before = input.before.as_deref().map(str::parse::<u64>).transpose().map_err(invalid)?;
    let limit = usize::try_from(input.limit.clamp(1, PAGE)).unwrap_or(1);
    let found = host.engine.store().search(&parsed.query, Page { before, limit }).await?;
    let beside = host.engine.store().notices(&parsed.query, (before, found.next)).await?;
    Ok(SearchPage {
        notices: beside.notices.into_iter().map(|one| notice(host, one)).collect(),
        notices_capped: beside.capped,
        next: found.next.map(|next| next.to_string()),
        rows: found.rows.iter().map(|r| row(host, r)).collect(),
        problems: parsed.problems.iter().map(problem).collect(),
    })
}

async fn costliest(host: &Host, input: &CostliestInput) -> Result<SearchPage, ApiError> {
    let parsed = query::parse(&input.query);
    let limit = usize::try_from(input.limit.clamp(1, PAGE)).unwrap_or(1);
    let found = host.engine.store().costliest(&parsed.query, limit).await?;
    Ok(SearchPage {
        next: None,
        notices: Vec::new(),
        notices_capped: false,
        rows: found.iter().map(|r| row(host, r)).collect(),
        problems: parsed.problems.iter().map(problem).collect(),
    })
}

pub(super) fn problem(problem: &query::QueryProblem) -> QueryProblemDto {
    QueryProblemDto {
        message: problem.message.clone(),
        at: u32::try_from(problem.at.start).unwrap_or(u32::MAX),
        suggestion: problem.nearest.clone(),
    }
}

/// A row as it travels.
pub(crate) fn row(host: &Host, row: &OperationRow) -> OperationRowDto {
    OperationRowDto {
        id: row.operation.to_string(),
        record: row.record,
        cursor: row.id.to_string(),
        at: row.at,
        agent: row.agent.to_string(),
        agent_name: super::agents::name_of(host, &row.agent),
        session: row.session.to_string(),
        kind: row.kind.clone(),
        summary: row.summary.clone(),
        state: state(row.decision),
        settled: !row.open,
        host: row.host.clone(),
        model: row.model.clone(),
        rule: row.rules.first().cloned(),
        risk: row.risk.map(Into::into),
        cost: row.cost.map(|c| c.0),
        worth: row.worth.map(|w| w.0),
        reserved: row.reserved.filter(|_| row.open).map(|r| r.0),
        estimated: row.estimated,
        tokens_in: row.tokens_in,
        tokens_out: row.tokens_out,
        tokens_cached: row.tokens_cached,
        status: row.status,
        exit: row.exit,
        error: row.error.clone(),
        took_ms: row.latency_ms,
        credential: row.credentials.first().filter(|_| row.injected).map(ToString::to_string),
        approval: row.approval.as_ref().map(ToString::to_string),
        purpose: purpose(row.purpose),
        part_of: row.parent.as_ref().filter(|_| !row.purpose.is_call()).map(ToString::to_string),
        repeats: row.repeats.as_ref().map(ToString::to_string),
        pinned: row.pinned,
        note: row.note.clone(),
    }
}

/// A notice as it travels.
pub(crate) fn notice(host: &Host, notice: Notice) -> NoticeDto {
    let name = notice.agent.as_ref().map(|agent| super::agents::name_of(host, agent));
    NoticeDto::of(notice, name)
}

/// What a person marks it with. A note that holds a secret is refused: the record is exported, and a note is searched.
async fn annotate(host: &Host, input: AnnotateInput) -> Result<OperationRowDto, ApiError> {
    let id = OperationId::parse(&input.operation).map_err(invalid)?;
    if let Some(note) = &input.note {
        let scanner = Scanner::new(host.engine.credentials().sought().await?, reeve_protocol::redact::shapes);
        if scanner.clean(note).is_some() {
            return Err(invalid("the note holds what is or looks like a secret")
                .hint("leave it out: notes are recorded and exported as they are"));
        }
    }
    host.engine.annotate(&id, input.pinned, input.note, &super::approvals::whoami()).await?;
    let found = host.engine.store().operation(&id).await?.ok_or_else(|| not_found("action", &input.operation))?;
    Ok(row(host, &found))
}

/// Of what Reeve called itself.
pub(super) fn purpose(purpose: Purpose) -> Option<String> {
    (!purpose.is_call()).then(|| purpose.as_str().to_owned())
}

pub(super) fn state(decided: Decided) -> RowStateDto {
    match decided {
        Decided::Allowed => RowStateDto::Allowed,
        Decided::Held => RowStateDto::Held,
        Decided::Approved => RowStateDto::Approved,
        Decided::Refused => RowStateDto::Refused,
        Decided::Expired => RowStateDto::Expired,
        Decided::Withdrawn => RowStateDto::Withdrawn,
        Decided::Denied => RowStateDto::Denied,
        Decided::WouldDeny => RowStateDto::WouldDeny,
        Decided::WouldHold => RowStateDto::WouldHold,
    }
}

async fn facets(host: &Host, input: &FacetsInput) -> Result<FacetsDto, ApiError> {
    let parsed = query::parse(&input.query);
    let store = host.engine.store();
    let facets = store.facets(&parsed.query).await?;
    let drawn = input.bins_of.as_deref().map_or(parsed.query, |text| query::parse(text).query);
    let histogram = store.histogram(&drawn, BINS).await?;
    Ok(FacetsDto {
        groups: facets
            .groups
            .into_iter()
            .map(|group| FacetGroupDto {
                key: group.key.to_owned(),
                values: group.values.into_iter().map(counted).collect(),
            })
            .collect(),
        matches: facets.matches,
        total: facets.total,
        capped: facets.capped,
        cost: facets.cost,
        p95_ms: facets.latency_p95_ms,
        bin_ms: histogram.bin_ms,
        bins: histogram
            .bins
            .into_iter()
            .map(|bin| BinDto {
                at: bin.at,
                allowed: sum(&bin, Decided::passed),
                held: bin.count(Decided::Held),
                denied: sum(&bin, |d| !d.passed() && d != Decided::Held),
            })
            .collect(),
    })
}

fn counted(value: FacetValue) -> FacetValueDto {
    FacetValueDto { value: value.value, count: value.count }
}

async fn values(host: &Host, input: &ValuesInput) -> Result<ValuesDto, ApiError> {
    let key = Key::find(&input.key).ok_or_else(|| invalid(format!("`{}` is not a key", input.key)))?;
    let query = query::parse(&input.query).query;
    let found = host.engine.store().values(&query, key, &input.begun).await?;
    Ok(ValuesDto { values: found.values.into_iter().map(counted).collect(), capped: found.capped })
}

/// How many operations of a bin became what `test` asks for.
fn sum(bin: &Bin, test: impl Fn(Decided) -> bool) -> u64 {
    Decided::ALL.into_iter().filter(|d| test(*d)).map(|d| bin.count(d)).sum()
}

async fn detail(host: &Host, text: &str) -> Result<OperationDetailDto, ApiError> {
    let store = host.engine.store();
    let id = OperationId::parse(text).map_err(invalid)?;
    let found = store.detail(&id).await?.ok_or_else(|| not_found("record", text))?;
    let mut detail = OperationDetailDto {
        row: row(host, &found.row),
        events: found.events.iter().map(Into::into).collect(),
        seal: found.seal.as_ref().map(Into::into),
        ip: found.row.ip.clone(),
        parent: found.row.parent.as_ref().map(ToString::to_string),
        verdict: None,
        denial: None,
        cost: None,
        view: None,
        subject: None,
        outcome: None,
    };
    for event in &found.events {
        gather(&mut detail, event);
    }
    Ok(detail)
}

/// The newest word of each kind wins, because events come oldest first.
fn gather(detail: &mut OperationDetailDto, event: &Event) {
    match &event.body {
        EventBody::OperationAdmitted { operation, verdict, reservation, would, .. } => {
            detail.verdict = Some(verdict.into());
            detail.denial = would.as_ref().map(Into::into);
            detail.cost = reservation.as_ref().map(|r| CostDto::of(r, None));
            detail.subject = json(&operation.subject);
        }
        EventBody::OperationDenied { operation, verdict, denial, .. } => {
            detail.verdict = verdict.as_ref().map(Into::into).or(detail.verdict.take());
            detail.denial = Some(denial.into());
            detail.subject = json(&operation.subject);
        }
        EventBody::ApprovalRequested { approval, operation, verdict } => {
            detail.view = Some(approval.view.clone());
            detail.verdict = Some(verdict.into());
            detail.subject = json(&operation.subject);
        }
        EventBody::OperationSettled { outcome, settlement } => {
            detail.outcome = json(outcome);
            if let (Some(cost), Some(settlement)) = (&mut detail.cost, settlement) {
                cost.settle(settlement);
            }
        }
        EventBody::OperationAbandoned { settlement: Some(settlement), .. } => {
            if let Some(cost) = &mut detail.cost {
                cost.settle(settlement);
            }
        }
        _ => {}
    }
}

/// Plain data as JSON; what cannot be shown is left out rather than failing the whole detail.
fn json(value: &impl serde::Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

async fn export(host: &Host, input: ExportInput) -> Result<ExportedDto, ApiError> {
    let path = PathBuf::from(&input.path);
    if !path.is_absolute() {
        return Err(invalid(format!("`{}` is not an absolute path", input.path)));
    }
    let format = match input.format {
        ExportFormatDto::Jsonl => ExportFormat::Jsonl,
        ExportFormatDto::Csv => ExportFormat::Csv,
    };
    let parsed = query::parse(&input.query);
    if let Some(problem) = parsed.problems.first() {
        // An export is proof: it must not cover something else than what was asked for.
        return Err(invalid(&problem.message));
    }
    let scanner = Scanner::new(host.engine.credentials().sought().await?, reeve_protocol::redact::shapes);
    let manifest_path = super::audit::manifest_path(&path);
    let failed =
        |error: std::io::Error| ApiError::new(ApiCode::Failed, format!("could not write `{}`: {error}", input.path));
    let file = std::fs::File::create_new(&path).map_err(failed)?;
    let written = match host.engine.store().export(&parsed.query, format, scanner, file).await {
        Ok(manifest) => std::fs::write(&manifest_path, manifest.text()).map(|()| manifest).map_err(failed),
        Err(error) => Err(error.into()),
    };
    // Half an export is none: nobody should find it and take it for one.
    let manifest = written.inspect_err(|_| drop(std::fs::remove_file(&path)))?;
    let bytes = std::fs::metadata(&path).map_err(failed)?.len();
    Ok(ExportedDto {
        path: input.path,
        manifest: manifest_path.display().to_string(),
        count: manifest.count,
        bytes,
        redacted: manifest.redacted.count,
    })
}
