//! The acts with tools: the agent starts its tool server as its environment tells it to, behind `reeve mcp`, and calls it.

use std::io::Write;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, JsonObject};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};

use super::say;
use crate::error::DemoError;
use crate::office;

/// How often the agent looks whether somebody reviewed the tools meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

type Tools = RunningService<RoleClient, ()>;

pub(super) async fn perform(out: &mut impl Write) -> Result<(), DemoError> {
    let program = std::env::current_exe()?;
    let mut command = tokio::process::Command::new(&program);
    command.args(["mcp", "--server", office::SERVER, "--"]).arg(&program).arg("demo-office");
    let tools = ().serve(TokioChildProcess::new(command)?).await.map_err(DemoError::tools)?;
    let told = acts(&tools, out).await;
    tools.cancel().await.map_err(DemoError::tools)?;
    told
}

async fn acts(tools: &Tools, out: &mut impl Write) -> Result<(), DemoError> {
    say(out, &format!("6. which tools has the server `{}`?", office::SERVER))?;
    reviewed(tools, out).await?;

    say(out, "7. a discount of 20 % for customers on trial, with a tool that changes records")?;
    call(tools, office::UPDATE, &json!({ "plan": "trial", "discount": 20 }), out).await?;

    say(out, "8. the same without saying for whom")?;
    call(tools, office::UPDATE, &json!({ "discount": 20 }), out).await?;

    say(out, "9. one mail, sent twice, as an agent does that does not know whether the first got through")?;
    let mail = json!({ "request_id": "welcome-1", "to": "kim@acme.example", "text": "Your discount has begun." });
    call(tools, office::SEND, &mail, out).await?;
    call(tools, office::SEND, &mail, out).await
}

/// Waits until a person let the server's tools through: until then it has none for its agent.
async fn reviewed(tools: &Tools, out: &mut impl Write) -> Result<(), DemoError> {
    let mut waits = false;
    loop {
        let listed = tools.list_all_tools().await.map_err(DemoError::tools)?;
        if listed.iter().any(|tool| tool.name == office::UPDATE) {
            let names: Vec<&str> = listed.iter().map(|tool| tool.name.as_ref()).collect();
            return say(out, &format!("   {}", names.join(", ")));
        }
        if !waits {
            say(out, "   none yet: a new server's tools are reviewed by a person first")?;
        }
        waits = true;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn call(tools: &Tools, name: &'static str, arguments: &Value, out: &mut impl Write) -> Result<(), DemoError> {
    let arguments: JsonObject = arguments.as_object().cloned().unwrap_or_default();
    let answer = tools.call_tool(CallToolRequestParams::new(name).with_arguments(arguments)).await;
    let answer = answer.map_err(DemoError::tools)?;
    let texts: Vec<&str> =
        answer.content.iter().filter_map(|part| part.as_text()).map(|text| text.text.as_str()).collect();
    let who = if answer.is_error == Some(true) { "refused" } else { "the tool says" };
    say(out, &format!("   {who}: {}", texts.join(" ")))
}
