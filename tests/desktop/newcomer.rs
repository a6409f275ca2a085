//! What somebody new to Reeve does first, with the mouse: every step is a click on what the page offers, and only what nobody
//! can know before is typed.

use anyhow::{Result, ensure};
use reeve_api::contract::calls::{BudgetsCall, CredentialsCall};
use reeve_api::contract::credentials::CredentialDto;
use reeve_api::contract::spending::BudgetLineDto;

use crate::app::{App, with_app};

const SECRET: &str = "sk-ant-a-newcomers-first-key-77";

/// Clicks into a field and types there.
async fn fill(app: &App, css: &str, text: &str) -> Result<()> {
    let field = app.see(css).await?;
    field.click().await?;
    Ok(field.send_keys(text).await?)
}

#[tokio::test]
async fn a_first_limit_and_a_first_credential_are_set_with_the_mouse_and_two_values() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        app.press_place("Budgets").await?;
        app.read("No budget yet").await?;
        app.picture("newcomer-budgets").await?;
        app.press("Set a first limit…").await?;
        fill(app, "[role=dialog] input[name=amount]", "5").await?;
        app.picture("newcomer-limit").await?;
        app.press("Create budget").await?;
        app.gone("[role=dialog]").await?;
        app.read("of $5.00").await?;
        let lines: Vec<BudgetLineDto> = app.engine().await?.call(&BudgetsCall::Lines).await?;
        ensure!(lines.len() == 1 && lines.iter().all(|line| line.limit == 5_000_000_000), "{lines:?}");

        app.press_place("Credentials").await?;
        app.read("No credential yet").await?;
        app.picture("newcomer-credentials").await?;
        app.press("Add a first credential…").await?;
        fill(app, "[role=dialog] input[type=password]", SECRET).await?;
        app.picture("newcomer-credential").await?;
        app.see("[role=dialog] button[type=submit]").await?.click().await?;
        app.gone("[role=dialog]").await?;
        app.read("api.anthropic.com").await?;
        ensure!(!app.text().await?.contains(SECRET), "the secret is on the screen");
        let stored: Vec<CredentialDto> = app.engine().await?.call(&CredentialsCall::List).await?;
        ensure!(stored.len() == 1, "{stored:?}");
        Ok(())
    })
    .await
}
