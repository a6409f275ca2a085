//! How the window looks: the theme that a person chooses is what the system's web view computes for every token, and what
//! it paints, on every place.

use anyhow::{Context as _, Result, ensure};
use fantoccini::Locator;
use serde_json::json;

use crate::app::{App, SOON, with_app};

/// Where every colour of the console stands.
const TOKENS: &str = include_str!("../../ui/src/styles/tokens.css");

const PLACES: [&str; 7] = ["Inbox", "Timeline", "Agents", "Budgets", "Policies", "Credentials", "Settings"];

/// Name and value of every token that has one in each theme, light first.
fn tokens() -> Vec<(&'static str, [&'static str; 2])> {
    let lines = TOKENS.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(": light-dark("));
    let pairs = lines.filter_map(|(name, rest)| Some((name, rest.strip_suffix(");")?.split_once(", #")?)));
    pairs.filter_map(|(name, (light, dark))| Some((name, [light.strip_prefix('#')?, dark]))).collect()
}

/// As a web view says it.
fn rgb(hex: &str) -> Result<String> {
    let part = |at: usize| u8::from_str_radix(hex.get(at..at + 2).context("a short colour")?, 16).context("no colour");
    Ok(format!("rgb({}, {}, {})", part(0)?, part(2)?, part(4)?))
}

/// Chooses a theme in Settings, as a person does.
async fn choose(app: &App, theme: &str) -> Result<()> {
    app.press_place("Settings").await?;
    let path = format!("//label[normalize-space(.)={theme:?}]");
    let label = app.browser.wait().at_most(SOON).for_element(Locator::XPath(&path)).await;
    label.with_context(|| format!("no theme `{theme}`"))?.click().await?;
    let wanted = theme.to_lowercase();
    app.see(&format!("html[data-theme={wanted:?}]")).await.map(drop)
}

/// What the web view makes of each token, in that order.
async fn computed(app: &App, names: &[&str]) -> Result<Vec<String>> {
    let script = "const probe = document.body.appendChild(document.createElement('i'));
        const found = arguments[0].map((name) => {
          probe.style.color = `var(--${name})`;
          return getComputedStyle(probe).color;
        });
        probe.remove();
        return found;";
    Ok(serde_json::from_value(app.browser.execute(script, vec![json!(names)]).await?)?)
}

#[tokio::test]
async fn the_theme_that_is_chosen_is_what_the_window_computes_and_paints_on_every_place() -> Result<()> {
    let tokens = tokens();
    ensure!(tokens.len() > 15, "only {} tokens were read", tokens.len());
    let names: Vec<&str> = tokens.iter().map(|(name, _)| *name).collect();
    with_app(async |app| {
        app.protected().await?;
        let agent = app.agent("a note to look at")?;
        app.press_place("Inbox").await?;
        app.card().await?;
        for (at, theme) in ["Dark", "Light"].into_iter().enumerate() {
            let of = |pair: &[&'static str; 2]| pair.get(1 - at).copied().unwrap_or_default();
            choose(app, theme).await?;
            let found = computed(app, &names).await?;
            for ((name, pair), found) in tokens.iter().zip(&found) {
                ensure!(*found == rgb(of(pair))?, "--{name} is {found} in the theme {theme}");
            }
            // Field, scroll bars and choices of the web view's own follow.
            let own = "return getComputedStyle(document.documentElement).colorScheme";
            ensure!(app.browser.execute(own, vec![]).await? == theme.to_lowercase(), "the web view's own parts differ");
            let surface = tokens.iter().find(|(name, _)| *name == "surface").context("no surface")?;
            let words = tokens.iter().find(|(name, _)| *name == "text-1").context("no colour of words")?;
            let painted = "return [getComputedStyle(document.querySelector('main').parentElement).backgroundColor,
                getComputedStyle(document.querySelector('main h1')).color]";
            let wanted = json!([rgb(of(&surface.1))?, rgb(of(&words.1))?]);
            for place in PLACES {
                app.press_place(place).await?;
                app.until(&format!("{place} is the place that is shown"), async || {
                    Ok(app.see("main h1").await?.text().await? == place)
                })
                .await?;
                app.until(&format!("{place} is painted {theme}"), async || {
                    Ok(app.browser.execute(painted, vec![]).await? == wanted)
                })
                .await?;
                app.picture(&format!("{}-{}", theme.to_lowercase(), place.to_lowercase())).await?;
            }
        }
        app.press_place("Inbox").await?;
        app.card().await?;
        app.press("Deny and stop").await?;
        agent.heard().await.map(drop)
    })
    .await
}
