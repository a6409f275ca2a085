//! Real agents, answered and bounded on the screen: what a person presses there is what the agent prints and the provider sees.

use anyhow::{Result, ensure};
use fantoccini::key::Key;
use reeve_api::contract::operations::EventDto;
use reeve_demo::script::{Script, Step};
use reeve_tests::tools::Tool;

use crate::app::{App, Scene, with_scene};

const ANSWER: &str = "Seat belts are forty-two times better than none.";

/// Every call of a conversation waits for a person; titles and the like, which offer no tools, do not.
const ASK_CALLS: &str = r#"
@id("look-first") @reason("model calls of this test wait for a person") @liftable
forbid (principal, action == Action::"llm.call", resource)
unless { context.approved || context.tools_offered.isEmpty() };
"#;

fn asking(script: Script) -> Scene {
    Scene { script, policy: ASK_CALLS }
}

fn answering() -> Script {
    Script::of([Step::text(ANSWER)])
}

/// Calls of the conversation itself that reached the provider.
fn arrived(app: &App, tool: Tool) -> usize {
    app.provider.calls(tool.group()).iter().filter(|call| call.main).count()
}

/// How often something stands in the record.
fn times(record: &[EventDto], name: &str) -> usize {
    record.iter().filter(|event| event.name == name).count()
}

#[tokio::test]
async fn a_real_agent_goes_on_after_a_chord_and_prints_what_a_person_denied_it_for() -> Result<()> {
    with_scene(asking(answering()), async |app| {
        app.protected().await?;
        let claude = app.ask(Tool::Claude)?;
        let card = app.card().await?;
        app.read("claude-sonnet-5").await?;
        app.picture("real-agent-held").await?;
        ensure!(arrived(app, Tool::Claude) == 0, "it went upstream before anybody answered");
        app.chord(&card, Key::Enter).await?;
        let heard = claude.heard().await?;
        ensure!(heard.contains(ANSWER), "{heard}");
        ensure!(arrived(app, Tool::Claude) == 1, "{} calls went upstream", arrived(app, Tool::Claude));

        let codex = app.ask(Tool::Codex)?;
        app.card().await?;
        app.press("Deny").await?;
        app.type_into("#card input", "not before lunch").await?;
        app.picture("real-agent-deny-reason").await?;
        app.press("Deny").await?;
        let heard = codex.heard().await?;
        ensure!(heard.contains("Reeve denied this") && heard.contains("not before lunch"), "{heard}");
        ensure!(arrived(app, Tool::Codex) == 0, "a denied call went upstream");
        app.read("Nothing is waiting").await?;
        app.press_place("Timeline").await?;
        app.see("[role=row][data-row]").await?;
        app.picture("real-agents-timeline").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn always_for_a_real_agent_writes_a_rule_and_its_next_run_is_not_held() -> Result<()> {
    with_scene(asking(answering()), async |app| {
        app.protected().await?;
        let first = app.ask(Tool::Claude)?;
        let card = app.card().await?;
        let wider = format!("{}{}{}", char::from(Key::Control), char::from(Key::Shift), char::from(Key::Enter));
        card.send_keys(&format!("{wider}{}", char::from(Key::Null))).await?;
        app.read("Will be written to").await?;
        app.see("#card[data-armed=true]").await?;
        app.picture("real-agent-always").await?;
        app.press("Write rule and allow").await?;
        let heard = first.heard().await?;
        ensure!(heard.contains(ANSWER), "{heard}");
        ensure!(app.written_policies()?.contains("permit"), "no rule was written");

        let heard = app.ask(Tool::Claude)?.heard().await?;
        ensure!(heard.contains(ANSWER), "{heard}");
        ensure!(times(&app.record().await?, "approval.requested") == 1, "the next run was held");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_answer_for_the_session_covers_the_rest_of_it_and_no_other_session() -> Result<()> {
    with_scene(asking(Script::shell("printf 'seat-%d-belt' 42", ANSWER)), async |app| {
        app.protected().await?;
        let first = app.ask(Tool::Claude)?;
        app.card().await?;
        app.press("Allow for session").await?;
        app.read("Ends with this session").await?;
        app.see("#card[data-armed=true]").await?;
        app.picture("real-agent-session").await?;
        app.press_in("//*[@id='card']//footer", "Allow for session").await?;
        let heard = first.heard().await?;
        ensure!(heard.contains(ANSWER), "{heard}");
        ensure!(arrived(app, Tool::Claude) == 2, "{} calls went upstream", arrived(app, Tool::Claude));
        ensure!(times(&app.record().await?, "approval.requested") == 1, "the same session was asked about again");
        ensure!(app.written_policies()?.is_empty(), "a session's answer wrote a file");

        let second = app.ask(Tool::Claude)?;
        app.card().await?;
        app.press("Deny and stop").await?;
        second.heard().await?;
        ensure!(arrived(app, Tool::Claude) == 2, "another session went on with it");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_limit_set_on_the_screen_stops_the_next_call_of_a_real_agent() -> Result<()> {
    with_scene(Scene { script: answering(), ..Scene::default() }, async |app| {
        app.protected().await?;
        let heard = app.ask(Tool::Claude)?.heard().await?;
        ensure!(heard.contains(ANSWER), "{heard}");
        let before = arrived(app, Tool::Claude);

        app.press_place("Budgets").await?;
        app.press("New budget").await?;
        app.type_into("[role=dialog] input[name=id]", "pocket-money").await?;
        // The least that can be set: no answer of any length fits into it.
        app.type_into("[role=dialog] input[name=amount]", "0.01").await?;
        app.see("[role=dialog] input[value=deny]").await?.click().await?;
        app.picture("new-limit").await?;
        app.press("Create budget").await?;
        app.gone("[role=dialog]").await?;
        app.read("denies at the limit").await?;
        app.picture("limit").await?;

        let heard = app.ask(Tool::Claude)?.heard().await?;
        ensure!(heard.contains("Reeve denied this") && heard.contains("pocket-money"), "{heard}");
        ensure!(arrived(app, Tool::Claude) == before, "a call that is over the limit went upstream");
        app.press_place("Timeline").await?;
        app.read("pocket-money").await?;
        app.picture("limit-timeline").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_credential_replaced_on_the_screen_is_what_the_next_call_carries() -> Result<()> {
    let (old, new) = ("sk-ant-the-old-key-5d1f7c3a", "sk-ant-the-new-key-b29e4c60");
    with_scene(Scene { script: answering(), ..Scene::default() }, async |app| {
        app.protected().await?;
        app.reeve_told(&["cred", "add", "anthropic", "--kind", "anthropic"], old).await?;
        let heard = app.ask(Tool::Claude)?.heard().await?;
        ensure!(heard.contains(ANSWER), "{heard}");

        app.press_place("Credentials").await?;
        app.press("Replace").await?;
        app.type_into("[role=dialog] input[type=password]", new).await?;
        app.picture("replace-credential").await?;
        app.press_in("//*[@role='dialog']", "Replace").await?;
        app.gone("[role=dialog]").await?;
        ensure!(!app.text().await?.contains(new), "the secret is on the screen");

        let heard = app.ask(Tool::Claude)?.heard().await?;
        ensure!(heard.contains(ANSWER) && !heard.contains(new), "{heard}");
        let calls = app.provider.calls(Tool::Claude.group());
        let (header, _) = Tool::Claude.key_header(old);
        let keys: Vec<_> = calls.iter().filter(|call| call.main).map(|call| call.header(header)).collect();
        ensure!(keys == [Some(old), Some(new)], "{keys:?}");
        Ok(())
    })
    .await
}
