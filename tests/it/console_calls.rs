//! Calls that so far only the console makes, against a real engine: marks and notes, a rule proposed from a record, a tool
//! started in a terminal, a reminder, a repair; and the same record by the command line.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use reeve_api::client::Client;
use reeve_api::contract::agents::{StartAgentInput, StartedDto};
use reeve_api::contract::calls::{AgentsCall, CredentialsCall, OperationsCall, PoliciesCall, StatusCall};
use reeve_api::contract::cards::WidthDto;
use reeve_api::contract::credentials::{AddCredentialInput, CredentialDto, RemindInput, TypedSecret};
use reeve_api::contract::operations::{AnnotateInput, CostliestInput, OperationRowDto, SearchInput, SearchPage};
use reeve_api::contract::policies::RuleDto;
use reeve_api::contract::policies::weighing::{EffectDto, ProposalDto, ProposeInput};
use reeve_api::contract::status::{CheckDto, FixDto, RepairInput, StatusDto};
use reeve_api::contract::{ApiCode, ApiError};
use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_testkit::agent::Speak;

use crate::machine::{Machine, SOON, printed};
use crate::requests::messages;

/// One cheap call and a dearer one.
async fn machine() -> (Machine, Provider, Client) {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    for text in ["a few words", &"many words ".repeat(2000)] {
        agent.send(Speak::H1, messages(false, 10, text)).await.unwrap();
    }
    (machine, provider, client)
}

async fn found(client: &Client, query: &str) -> Vec<OperationRowDto> {
    let input = SearchInput { query: query.to_owned(), before: None, limit: 50 };
    client.call::<SearchPage>(&OperationsCall::Search(input)).await.unwrap().rows
}

/// Both calls, the newest first, once they are settled.
async fn settled(client: &Client) -> Vec<OperationRowDto> {
    let begun = Instant::now();
    loop {
        let rows = found(client, "kind:llm").await;
        if rows.len() == 2 && rows.iter().all(|row| row.cost.is_some_and(|cost| cost > 0)) {
            return rows;
        }
        assert!(begun.elapsed() < SOON, "{rows:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_and_a_note_are_found_by_and_a_note_with_a_secret_is_refused() {
    let (_machine, _provider, client) = machine().await;
    let row = settled(&client).await.remove(1);
    let annotate = async |pinned, note: Option<&str>| {
        let input = AnnotateInput { operation: row.id.clone(), pinned, note: note.map(str::to_owned) };
        client.call::<OperationRowDto>(&OperationsCall::Annotate(input)).await
    };
    let marked = annotate(true, Some("look at this tomorrow")).await.unwrap();
    assert!(marked.pinned && marked.note.as_deref() == Some("look at this tomorrow"), "{marked:?}");
    for query in ["is:pinned", "has:note", "tomorrow"] {
        assert_eq!(found(&client, query).await.iter().map(|row| &row.id).collect::<Vec<_>>(), [&row.id], "{query}");
    }
    let secret = annotate(true, Some("ghp_0123456789abcdefghijklmnopqrstuvwxyz")).await.unwrap_err();
    assert_eq!(secret.code, ApiCode::Invalid, "{secret:?}");
    let plain = annotate(false, None).await.unwrap();
    assert!(!plain.pinned && plain.note.is_none() && found(&client, "is:pinned").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_proposed_from_a_record_and_is_nowhere_until_it_is_saved() {
    let (_machine, _provider, client) = machine().await;
    let row = settled(&client).await.remove(0);
    let rules = async || client.call::<Vec<RuleDto>>(&PoliciesCall::List).await.unwrap().len();
    let before = rules().await;
    let propose = async |effect, anyone| {
        let operation = row.id.clone();
        let input = ProposeInput { operation, effect, width: WidthDto::Useful, anyone, here: false };
        client.call::<ProposalDto>(&PoliciesCall::Propose(input)).await.unwrap()
    };
    let never = propose(EffectDto::Forbid, false).await;
    assert!(never.text.contains("forbid") && never.text.contains("tester"), "{}", never.text);
    assert_eq!((never.kind.as_str(), never.agent_name.as_str()), ("llm", "tester"));
    let anyone = propose(EffectDto::Permit, true).await;
    assert!(anyone.text.contains("permit") && !anyone.text.contains("tester"), "{}", anyone.text);
    assert_eq!(rules().await, before);
    let gone = ProposeInput {
        operation: format!("op_{}", "0".repeat(26)),
        effect: EffectDto::Forbid,
        width: WidthDto::Useful,
        anyone: false,
        here: false,
    };
    let error = client.call::<ProposalDto>(&PoliciesCall::Propose(gone)).await.unwrap_err();
    assert_eq!(error.code, ApiCode::NotFound, "{error:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_tool_is_started_governed_in_the_persons_terminal_and_folder() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let program = |name: &str, text: &str| {
        let path = machine.world.write_home(&format!("bin/{name}"), text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let terminal = program("terminal", "#!/bin/sh\npwd > said.part\necho \"$@\" >> said.part\nmv said.part said\n");
    program("codex", "#!/bin/sh\n");
    let path = std::env::var("PATH").unwrap();
    let bin = terminal.parent().unwrap().display().to_string();
    machine.world.set("PATH", &format!("{bin}:{path}"));
    machine.world.set("TERMINAL", &terminal.display().to_string());
    let client = machine.start().await;
    let start = async |tool: &str, folder: String| {
        let input = StartAgentInput { tool: tool.to_owned(), folder };
        client.call::<StartedDto>(&AgentsCall::Start(input)).await
    };
    let work = machine.world.work();
    let started = start("codex", work.display().to_string()).await.unwrap();
    assert_eq!(started.terminal, "terminal");
    let begun = Instant::now();
    while !work.join("said").exists() {
        assert!(begun.elapsed() < SOON, "no terminal opens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let said = std::fs::read_to_string(work.join("said")).unwrap();
    assert!(said.contains("run --agent codex -- ") && said.contains(&work.display().to_string()), "{said}");
    let code = |refused: Result<StartedDto, ApiError>| refused.unwrap_err().code;
    assert_eq!(code(start("codex", "work".to_owned()).await), ApiCode::Invalid);
    assert_eq!(code(start("no-such-tool", work.display().to_string()).await), ApiCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_to_replace_a_secret_is_set_and_taken_away() {
    let (_machine, _provider, client) = machine().await;
    let add = AddCredentialInput {
        id: "github".to_owned(),
        secret: TypedSecret("ghp_0123456789abcdefghijklmnopqrstuvwxyz".to_owned()),
        kind: Some("github".to_owned()),
        name: None,
        variables: Vec::new(),
        binding: None,
        agents: Vec::new(),
    };
    let _: Vec<CredentialDto> = client.call(&CredentialsCall::Add(add)).await.unwrap();
    let remind = async |credential: &str, days| {
        let input = RemindInput { credential: credential.to_owned(), days };
        let after = client.call::<Vec<CredentialDto>>(&CredentialsCall::Remind(input)).await?;
        Ok::<_, ApiError>(after.into_iter().find(|one| one.id == credential).unwrap().rotate_days)
    };
    assert_eq!(remind("github", Some(30)).await.unwrap(), Some(30));
    assert!(remind("github", Some(0)).await.is_err() && remind("github", Some(36_500)).await.is_err());
    assert_eq!(remind("github", None).await.unwrap(), None);
    assert_eq!(remind("nobody", Some(30)).await.unwrap_err().code, ApiCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cost_the_most_comes_first_and_an_id_may_be_typed_by_its_beginning() {
    let (machine, _provider, client) = machine().await;
    let dear = settled(&client).await.remove(0);
    let input = CostliestInput { query: "kind:llm".to_owned(), limit: 1 };
    let page: SearchPage = client.call(&OperationsCall::Costliest(input)).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| &row.id).collect::<Vec<_>>(), [&dear.id]);
    let says = |arguments: &[&str]| {
        let output = machine.reeve(arguments);
        (output.status.code(), printed(&output))
    };
    let (code, sorted) = says(&["log", "--sort", "cost", "-n", "1", "--json"]);
    assert!(code == Some(0) && sorted.contains(&dear.id), "{sorted}");
    // All but the last letters: two calls of one moment differ behind the time that their ids begin with.
    let (code, explained) = says(&["policy", "explain", &dear.id[..dear.id.len() - 4]]);
    assert!(code == Some(0) && explained.contains("claude-sonnet-5"), "{explained}");
    let (code, several) = says(&["policy", "explain", "op_0"]);
    assert!(code != Some(0) && several.contains("the beginning of several ids"), "{several}");
    let (code, none) = says(&["approve", "show", "ask_zz"]);
    assert!(code == Some(2) && none.contains("the id of a question"), "{none}");
    let (code, colon) = says(&["log", "cost>0.5"]);
    assert!(code == Some(2) && colon.contains("`cost` needs a colon") && colon.contains("cost:>0.5"), "{colon}");
    let (code, closed) = says(&["open", &dear.id]);
    assert!(code != Some(0) && closed.contains("no display"), "{closed}");
}

/// Steps of the repair that the doctor offers for the profile's folders.
async fn steps(client: &Client) -> Vec<String> {
    let checks: Vec<CheckDto> = client.call(&StatusCall::Doctor).await.unwrap();
    for name in ["clock", "left over"] {
        assert!(checks.iter().any(|check| check.name == name && check.ok), "{name}: {checks:?}");
    }
    match checks.into_iter().find(|check| check.name == "profile").unwrap().fix {
        Some(FixDto::Repair { steps }) => steps,
        None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_repairs_what_was_shown_and_what_came_after_is_shown_first() {
    let (machine, _provider, client) = machine().await;
    let folder = |name: &str| machine.world.reeve_home().join(name);
    let mode = |name: &str| folder(name).metadata().unwrap().permissions().mode() & 0o777;
    let open = |name: &str| std::fs::set_permissions(folder(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(steps(&client).await, Vec::<String>::new());
    open("data");
    let shown = steps(&client).await;
    assert_eq!(shown, [format!("take away the access of others to `{}`", folder("data").display())]);
    open("state");
    let _: StatusDto = client.call(&StatusCall::Repair(RepairInput { steps: shown })).await.unwrap();
    assert_eq!((mode("data"), mode("state")), (0o700, 0o755));
    let later = steps(&client).await;
    assert!(later.len() == 1 && later[0].contains("state"), "{later:?}");
    // What is no step of its own is none of Reeve's.
    let own = RepairInput { steps: vec!["remove everything".to_owned()] };
    let _: StatusDto = client.call(&StatusCall::Repair(own)).await.unwrap();
    assert_eq!(mode("state"), 0o755);
}
