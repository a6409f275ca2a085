//! Every call there is: one enum per noun, named `noun.verb`, on the wire `{ "call": …, "input": … }`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::agents::{AddAgentInput, AgentInput, StartAgentInput};
use super::approvals::{AnsweredInput, ApprovalInput, ResolveInput};
use super::audit::RecordInput;
use super::budgets::{BudgetAccountInput, BudgetInput, PricesInput, SetBudgetInput};
use super::cards::{LateInput, MarkDto, PreviewInput, RaiseInput, SetPresenceInput};
use super::credentials::{
    AddCredentialInput, BindCredentialInput, CredentialInput, RemindInput, ReplaceCredentialInput, TestCredentialInput,
    UnbindCredentialInput,
};
use super::env_files::{EnvFileInput, ImportInput};
use super::error::{ApiCode, ApiError};
use super::operations::{
    AnnotateInput, CostliestInput, ExportInput, FacetsInput, OperationInput, SearchInput, ValuesInput,
};
use super::policies::drafts::{CheckInput, CompleteInput, FormatInput, SaveInput};
use super::policies::weighing::{ProposeInput, ReplayInput, WhatIfInput};
use super::policies::{AcknowledgeInput, TakeBackInput};
use super::retention::{RetentionDto, SetRetentionInput, WipeInput};
use super::servers::{AddServerInput, ApproveServerInput, ServerInput, StatsInput};
use super::sessions::{FlowInput, OpenSessionInput, SearchSessionsInput, SessionInput};
use super::settings::SetSettingsInput;
use super::status::{PauseInput, RepairInput};
use super::views::{ViewDto, ViewInput};

/// What a call is about; the shells have one door per noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noun {
    Operations,
    Approvals,
    Status,
    Sessions,
    Agents,
    Budgets,
    Credentials,
    Policies,
    Audit,
    Settings,
    Servers,
}

impl Noun {
    pub const ALL: [Self; 11] = [
        Self::Operations,
        Self::Approvals,
        Self::Status,
        Self::Sessions,
        Self::Agents,
        Self::Budgets,
        Self::Credentials,
        Self::Policies,
        Self::Audit,
        Self::Settings,
        Self::Servers,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Approvals => "approvals",
            Self::Status => "status",
            Self::Sessions => "sessions",
            Self::Agents => "agents",
            Self::Budgets => "budgets",
            Self::Credentials => "credentials",
            Self::Policies => "policies",
            Self::Audit => "audit",
            Self::Settings => "settings",
            Self::Servers => "servers",
        }
    }

    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|noun| noun.as_str() == name)
    }
}

/// One noun's calls: `"noun.verb" Variant(Input)`, and their names for the tables of who may call what.
macro_rules! calls {
    ($($(#[$doc:meta])* $enum:ident { $($name:literal $variant:ident $(($input:ty))?),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
        #[serde(tag = "call", content = "input")]
        pub enum $enum {
            $(#[serde(rename = $name)] $variant $(($input))?,)+
        }

        impl $enum {
            pub const NAMES: &'static [&'static str] = &[$($name),+];
        }
    )+};
}

calls! {
    /// Answers: `SearchPage`, `FacetsDto`, `OperationDetailDto`, `ExportedDto`, `ValuesDto`; about views `ViewsDto`, as they
    /// are after the call; the `OperationRowDto` that was annotated; the costliest as a `SearchPage`.
    OperationsCall {
        "operations.search" Search(SearchInput),
        "operations.facets" Facets(FacetsInput),
        "operations.get" Get(OperationInput),
        "operations.export" Export(ExportInput),
        "operations.values" Values(ValuesInput),
        "operations.views" Views,
        "operations.save_view" SaveView(ViewDto),
        "operations.remove_view" RemoveView(ViewInput),
        "operations.annotate" Annotate(AnnotateInput),
        "operations.costliest" Costliest(CostliestInput),
    }
    /// Answers: `ApprovalsPage`, `AnsweredPage`, an `ApprovalDto` each; a `PreviewDto`, `SuggestionsDto`, a `PresenceDto` each; a
    /// `ConfirmedDto`, when the system has asked whether its human is there.
    ApprovalsCall {
        "approvals.list" List,
        "approvals.answered" Answered(AnsweredInput),
        "approvals.get" Get(ApprovalInput),
        "approvals.resolve" Resolve(ResolveInput),
        "approvals.extend" Extend(ApprovalInput),
        "approvals.preview" Preview(PreviewInput),
        "approvals.undo" Undo(ApprovalInput),
        "approvals.allow_late" AllowLate(LateInput),
        "approvals.raise" Raise(RaiseInput),
        "approvals.suggestions" Suggestions,
        "approvals.presence" Presence,
        "approvals.set_presence" SetPresence(SetPresenceInput),
        "approvals.confirm" Confirm,
    }
    /// Answers: `Vec<CheckDto>` of the doctor, else a `StatusDto`, as it is after the call.
    StatusCall {
        "status.get" Get,
        "status.stop_all" StopAll,
        "status.resume" Resume,
        "status.pause" Pause(PauseInput),
        "status.doctor" Doctor,
        "status.repair" Repair(RepairInput),
        "status.set_mark" SetMark(MarkDto),
        "status.shutdown" Shutdown,
    }
    /// Answers: `Vec<SessionDto>`, a `SessionDto`, an `OpenedSessionDto`, `SessionsPage`, `FlowDto`. A held session ends with the connection that
    /// opened it; the other kind ends by its expiry or by `sessions.stop`.
    SessionsCall {
        "sessions.list" List,
        "sessions.open" Open(OpenSessionInput),
        "sessions.stop" Stop(SessionInput),
        "sessions.search" Search(SearchSessionsInput),
        "sessions.flow" Flow(FlowInput),
    }
    /// Answers: `Vec<AgentDto>`, `AgentDetailDto`, `Vec<ToolDto>`, `StartedDto`, `ChangesDto`, else an `AgentDto`. Stopping an agent ends all its sessions.
    AgentsCall {
        "agents.list" List,
        "agents.get" Get(AgentInput),
        "agents.tools" Tools,
        "agents.start" Start(StartAgentInput),
        "agents.add" Add(AddAgentInput),
        "agents.remove" Remove(AgentInput),
        "agents.stop" Stop(AgentInput),
        "agents.pause" Pause(AgentInput),
        "agents.resume" Resume(AgentInput),
        "agents.changes" Changes,
    }
    /// Answers: `Vec<BudgetDto>`, as it is after the call; `Vec<BudgetLineDto>`, `BudgetDetailDto`, `PricesDto`.
    BudgetsCall {
        "budgets.list" List,
        "budgets.lines" Lines,
        "budgets.get" Get(BudgetAccountInput),
        "budgets.prices" Prices(PricesInput),
        "budgets.set" Set(SetBudgetInput),
        "budgets.remove" Remove(BudgetInput),
    }
    /// Answers: `Vec<CredentialDto>`, as it is after the call; a `CredentialTestDto`, `EnvFileDto`, `ImportedDto`, `KeepingDto`.
    CredentialsCall {
        "credentials.list" List,
        "credentials.add" Add(AddCredentialInput),
        "credentials.replace" Replace(ReplaceCredentialInput),
        "credentials.bind" Bind(BindCredentialInput),
        "credentials.unbind" Unbind(UnbindCredentialInput),
        "credentials.remove" Remove(CredentialInput),
        "credentials.remind" Remind(RemindInput),
        "credentials.test" Test(TestCredentialInput),
        "credentials.scan" Scan(EnvFileInput),
        "credentials.import" Import(ImportInput),
        "credentials.keeping" Keeping,
    }
    /// Answers: `Vec<RuleDto>`, `PolicyStateDto`, `Vec<PolicyFileDto>`, `HitsDto`, `CheckedDto`, `FormattedDto`,
    /// `CompletionsDto`, `ReplayDto`, `WhatIfDto`, `ProposalDto`, `Vec<VersionDto>`, `PolicyStateDto` after a save.
    PoliciesCall {
        "policies.list" List,
        "policies.state" State,
        "policies.files" Files,
        "policies.hits" Hits,
        "policies.check" Check(CheckInput),
        "policies.format" Format(FormatInput),
        "policies.complete" Complete(CompleteInput),
        "policies.replay" Replay(ReplayInput),
        "policies.what_if" WhatIf(WhatIfInput),
        "policies.propose" Propose(ProposeInput),
        "policies.history" History,
        "policies.save" Save(SaveInput),
        "policies.acknowledge" Acknowledge(AcknowledgeInput),
        "policies.take_back" TakeBack(TakeBackInput),
    }
    /// Answers: `VerificationDto`, `RecordDto`, `RemovableDto`; a `DataDto` as it is after the call.
    AuditCall {
        "audit.verify" Verify,
        "audit.record" Record(RecordInput),
        "audit.weigh_removal" WeighRemoval(RetentionDto),
        "audit.set_retention" SetRetention(SetRetentionInput),
        "audit.wipe" Wipe(WipeInput),
    }
    /// Answers: a `SettingsDto`, as it is after the call.
    SettingsCall {
        "settings.get" Get,
        "settings.set" Set(SetSettingsInput),
    }
    /// Answers: `ServersDto`, as it is after the call; a `ServerDetailDto`, `ToolStatsDto`.
    ServersCall {
        "servers.list" List,
        "servers.get" Get(ServerInput),
        "servers.approve" Approve(ApproveServerInput),
        "servers.forget" Forget(ServerInput),
        "servers.add" Add(AddServerInput),
        "servers.remove" Remove(ServerInput),
        "servers.stats" Stats(StatsInput),
    }
}

/// Any call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Call {
    Operations(OperationsCall),
    Approvals(ApprovalsCall),
    Status(StatusCall),
    Sessions(SessionsCall),
    Agents(AgentsCall),
    Budgets(BudgetsCall),
    Credentials(CredentialsCall),
    Policies(PoliciesCall),
    Audit(AuditCall),
    Settings(SettingsCall),
    Servers(ServersCall),
}

impl Call {
    /// Reads `{ "call": "noun.verb", "input": … }`.
    ///
    /// # Errors
    /// `Invalid` when the call is none of ours or its input does not fit.
    pub fn parse(value: Value) -> Result<Self, ApiError> {
        let name = value.get("call").and_then(Value::as_str).unwrap_or_default().to_owned();
        let noun = name.split_once('.').and_then(|(noun, _)| Noun::find(noun));
        let read = match noun {
            None => return Err(ApiError::new(ApiCode::Invalid, format!("`{}` is not a call", shown(&name)))),
            Some(Noun::Operations) => serde_json::from_value(value).map(Self::Operations),
            Some(Noun::Approvals) => serde_json::from_value(value).map(Self::Approvals),
            Some(Noun::Status) => serde_json::from_value(value).map(Self::Status),
            Some(Noun::Sessions) => serde_json::from_value(value).map(Self::Sessions),
            Some(Noun::Agents) => serde_json::from_value(value).map(Self::Agents),
            Some(Noun::Budgets) => serde_json::from_value(value).map(Self::Budgets),
            Some(Noun::Credentials) => serde_json::from_value(value).map(Self::Credentials),
            Some(Noun::Policies) => serde_json::from_value(value).map(Self::Policies),
            Some(Noun::Audit) => serde_json::from_value(value).map(Self::Audit),
            Some(Noun::Settings) => serde_json::from_value(value).map(Self::Settings),
            Some(Noun::Servers) => serde_json::from_value(value).map(Self::Servers),
        };
        read.map_err(|error| {
            ApiError::new(ApiCode::Invalid, format!("`{}` does not take this input: {error}", shown(&name)))
        })
    }

    #[must_use]
    pub fn noun(&self) -> Noun {
        match self {
            Self::Operations(_) => Noun::Operations,
            Self::Approvals(_) => Noun::Approvals,
            Self::Status(_) => Noun::Status,
            Self::Sessions(_) => Noun::Sessions,
            Self::Agents(_) => Noun::Agents,
            Self::Budgets(_) => Noun::Budgets,
            Self::Credentials(_) => Noun::Credentials,
            Self::Policies(_) => Noun::Policies,
            Self::Audit(_) => Noun::Audit,
            Self::Settings(_) => Noun::Settings,
            Self::Servers(_) => Noun::Servers,
        }
    }

    /// Every name, in the order of the nouns.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [
            OperationsCall::NAMES,
            ApprovalsCall::NAMES,
            StatusCall::NAMES,
            SessionsCall::NAMES,
            AgentsCall::NAMES,
            BudgetsCall::NAMES,
            CredentialsCall::NAMES,
            PoliciesCall::NAMES,
            AuditCall::NAMES,
            SettingsCall::NAMES,
            ServersCall::NAMES,
        ]
        .into_iter()
        .flatten()
        .copied()
    }
}

/// A caller's own text, cut so that a message stays a sentence.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::approvals::{AnswerDto, ScopeDto};

    #[test]
    fn a_call_reads_back_as_it_was_written() {
        for call in [
            Call::Status(StatusCall::Get),
            Call::Operations(OperationsCall::Search(SearchInput {
                query: "kind:llm".to_owned(),
                before: None,
                limit: 50,
            })),
            Call::Approvals(ApprovalsCall::Resolve(ResolveInput {
                approval: "apr_1".to_owned(),
                nonce: "n".to_owned(),
                answer: AnswerDto::Approve { scope: ScopeDto::Session },
                reading_ms: Some(1_200),
                rule: None,
                proof: None,
            })),
        ] {
            let wire = serde_json::to_value(&call).unwrap();
            assert_eq!(Call::parse(wire), Ok(call));
        }
    }

    #[test]
    fn the_wire_form_is_call_and_input() {
        let wire = json!({ "call": "approvals.resolve", "input": {
            "approval": "apr_1", "nonce": "n", "answer": { "kind": "refuse", "reason": "use a pull request" }, "readingMs": 900 } });
        let Ok(Call::Approvals(ApprovalsCall::Resolve(input))) = Call::parse(wire) else { panic!("not understood") };
        assert_eq!(input.answer, AnswerDto::Refuse { reason: Some("use a pull request".to_owned()) });
        assert_eq!(Call::parse(json!({ "call": "status.get", "input": null })), Ok(Call::Status(StatusCall::Get)));
    }

    #[test]
    fn what_is_not_a_call_is_named_and_not_guessed() {
        for bad in [
            json!({}),
            json!({ "call": "files.read" }),
            json!({ "call": "status.explode" }),
            json!([1]),
            json!({ "call": 7 }),
        ] {
            assert_eq!(Call::parse(bad).map_err(|error| error.code), Err(ApiCode::Invalid));
        }
        let missing = Call::parse(json!({ "call": "operations.get", "input": {} })).unwrap_err();
        assert!(missing.message.contains("operation"), "{missing}");
    }

    #[test]
    fn every_name_belongs_to_its_noun() {
        for name in Call::names() {
            let (noun, verb) = name.split_once('.').unwrap();
            assert!(Noun::find(noun).is_some() && !verb.is_empty(), "{name}");
        }
    }
}
