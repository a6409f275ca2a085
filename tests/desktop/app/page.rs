//! What a person sees in the window, and what they press there.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fantoccini::Locator;
use fantoccini::elements::Element;
use fantoccini::key::Key;

use super::{App, SOON};

impl App {
    /// Waits until something is drawn.
    pub async fn see(&self, css: &str) -> Result<Element> {
        let drawn = self.browser.wait().at_most(SOON).for_element(Locator::Css(css)).await;
        drawn.with_context(|| format!("`{css}` was never drawn"))
    }

    /// Waits until something is no longer drawn.
    pub async fn gone(&self, css: &str) -> Result<()> {
        self.until(&format!("`{css}` is gone"), async || Ok(self.browser.find_all(Locator::Css(css)).await?.is_empty()))
            .await
    }

    /// Waits until the engine is there and everything is decided by it.
    pub async fn protected(&self) -> Result<()> {
        self.see("footer[data-state=protected]").await.map(drop)
    }

    /// Waits until the page says something.
    pub async fn read(&self, text: &str) -> Result<()> {
        self.until(&format!("the page says `{text}`"), async || Ok(self.text().await?.contains(text))).await
    }

    /// Everything that the page says now.
    pub async fn text(&self) -> Result<String> {
        let text = self.browser.execute("return document.body.innerText", vec![]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Presses a button by its words.
    pub async fn press(&self, words: &str) -> Result<()> {
        self.press_in("", words).await
    }

    /// Presses a button by its words inside something that an XPath names.
    pub async fn press_in(&self, place: &str, words: &str) -> Result<()> {
        let path = format!("{place}//button[starts-with(normalize-space(.), {words:?}) and not(@aria-disabled)]");
        let button = self.browser.wait().at_most(SOON).for_element(Locator::XPath(&path)).await;
        Ok(button.with_context(|| format!("no button `{words}`"))?.click().await?)
    }

    /// Presses a button that takes the window away, and waits for what it was to do: an answer of WebDriver may never come.
    pub async fn press_away(&self, words: &str, what: &str, test: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        let pressed = async {
            match self.press(words).await {
                Err(error) if self.app_runs() => error,
                _ => std::future::pending().await,
            }
        };
        tokio::select! { done = self.until(what, test) => done, error = pressed => Err(error) }
    }

    /// Chooses a line of the menu that is open.
    pub async fn choose(&self, words: &str) -> Result<()> {
        let path = format!("//*[@role='menuitem' and starts-with(normalize-space(.), {words:?})]");
        let line = self.browser.wait().at_most(SOON).for_element(Locator::XPath(&path)).await;
        Ok(line.with_context(|| format!("no line `{words}` in a menu"))?.click().await?)
    }

    /// Types into a field.
    pub async fn type_into(&self, css: &str, text: &str) -> Result<()> {
        Ok(self.see(css).await?.send_keys(text).await?)
    }

    /// Waits for the card of a held action, armed, and puts the focus into it as a person's click does.
    pub async fn card(&self) -> Result<Element> {
        let card = self.see("#card[data-armed=true]").await?;
        self.see("#card h2").await?.click().await?;
        self.browser.execute("document.getElementById('card').focus()", vec![]).await?;
        // A focus of the window that came late disarmed it.
        self.see("#card[data-armed=true]").await?;
        Ok(card)
    }

    /// Ctrl with another key, pressed inside an element.
    pub async fn chord(&self, element: &Element, key: Key) -> Result<()> {
        let keys = format!("{}{}{}", char::from(Key::Control), char::from(key), char::from(Key::Null));
        Ok(element.send_keys(&keys).await?)
    }

    /// Follows a link in the page by its words.
    pub async fn follow(&self, words: &str) -> Result<()> {
        let path = format!("//main//a[contains(normalize-space(.), {words:?})]");
        let link = self.browser.wait().at_most(SOON).for_element(Locator::XPath(&path)).await;
        Ok(link.with_context(|| format!("no link `{words}`"))?.click().await?)
    }

    /// Goes to a place by its link in the sidebar.
    pub async fn press_place(&self, name: &str) -> Result<()> {
        Ok(self.see(&format!("nav a[title={name:?}]")).await?.click().await?)
    }

    /// Waits for a state; an error of the question counts as not yet.
    pub async fn until(&self, what: &str, mut test: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        loop {
            let now = test().await;
            match now {
                Ok(true) => return Ok(()),
                _ if begun.elapsed() < SOON => tokio::time::sleep(Duration::from_millis(30)).await,
                now => {
                    let page = if self.app_runs() { self.text().await.unwrap_or_default() } else { String::new() };
                    bail!("not within {} s: {what} ({now:?}); the page: {page}", SOON.as_secs())
                }
            }
        }
    }

    /// A picture of the window, for people, where `REEVE_ARTIFACTS` names a folder.
    pub async fn picture(&self, name: &str) -> Result<()> {
        if let Some(folder) = std::env::var_os("REEVE_ARTIFACTS").map(PathBuf::from) {
            std::fs::create_dir_all(&folder)?;
            // A busy machine paints late; a window that paints nothing is shown as it is.
            let painted = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))";
            let _ = self.browser.execute_async(painted, vec![]).await;
            std::fs::write(folder.join(format!("{name}.png")), self.browser.screenshot().await?)?;
        }
        Ok(())
    }
}
