//! Which entry of the price table a model on the wire means: never one of another family.

use super::{ModelPrice, PriceTable};

impl PriceTable {
    /// The entry for `model` as `provider` serves it, with its name in the table. Tries the id as it stands, without a
    /// date, a revision or `-latest`, and, where the table only knows dated ones, the newest of these. `None` when nothing
    /// fits or the entry gives no price: unknown, never free.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<(&str, &ModelPrice)> {
        let model = model.trim().to_ascii_lowercase();
        let model = model.strip_prefix("models/").unwrap_or(&model);
        if model.is_empty() {
            return None;
        }
        if provider == "github_copilot" {
            let (maker, listed) = behind_copilot(model)?;
            return self.find(maker, &listed);
        }
        let forms = forms(model);
        let found = forms
            .iter()
            .find_map(|form| self.exact(provider, form))
            .or_else(|| forms.iter().find_map(|form| self.newest_dated(provider, form)));
        found.filter(|(_, price)| !price.is_unpriced())
    }

    fn exact(&self, provider: &str, model: &str) -> Option<(&str, &ModelPrice)> {
        [format!("{provider}/{model}"), model.to_owned()].iter().find_map(|key| {
            let (key, price) = self.models.get_key_value(key.as_str())?;
            (price.provider == provider).then_some((key.as_str(), price))
        })
    }

    fn newest_dated(&self, provider: &str, model: &str) -> Option<(&str, &ModelPrice)> {
        [format!("{provider}/{model}-"), format!("{model}-")].iter().find_map(|start| {
            let from_here = self.models.range(start.clone()..).take_while(|(key, _)| key.starts_with(start.as_str()));
            let dated = from_here.filter(|(key, price)| {
                price.provider == provider && key.strip_prefix(start.as_str()).is_some_and(is_date)
            });
            dated.last().map(|(key, price)| (key.as_str(), price))
        })
    }
}

/// The id itself, then with less and less behind it, longest first.
fn forms(model: &str) -> Vec<String> {
    let mut forms = vec![model.to_owned()];
    let mut rest = model;
    while let Some(shorter) = without_revision(rest) {
        forms.push(shorter.to_owned());
        rest = shorter;
    }
    forms
}

/// Drops one of: `-latest`, `@20250929`, `-20250929`, `-2025-09-29`, `-001`, `[1m]`.
fn without_revision(model: &str) -> Option<&str> {
    if let Some(rest) = model.strip_suffix("-latest").or_else(|| model.strip_suffix("[1m]")) {
        return Some(rest);
    }
    if let Some((rest, date)) = model.rsplit_once('@') {
        return (is_date(date) || date == "default").then_some(rest);
    }
    let dashed = model.len().checked_sub(11).and_then(|at| model.split_at_checked(at));
    if let Some((rest, tail)) = dashed
        && tail.strip_prefix('-').is_some_and(is_date)
    {
        return Some(rest);
    }
    let (rest, tail) = model.rsplit_once('-')?;
    let revision = tail.len() == 3 && tail.starts_with('0') && tail.bytes().all(|b| b.is_ascii_digit());
    (revision || is_date(tail)).then_some(rest)
}

/// `YYYYMMDD` or `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let digits: String = match text.len() {
        8 => text.to_owned(),
        10 if text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-') => text.replace('-', ""),
        _ => return false,
    };
    let number = |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse::<u32>().ok());
    digits.len() == 8
        && number(0..4).is_some_and(|year| (2020..2100).contains(&year))
        && number(4..6).is_some_and(|month| (1..=12).contains(&month))
        && number(6..8).is_some_and(|day| (1..=31).contains(&day))
}

/// Whose list price a Copilot seat's model is shown at, and that maker's name for it (`claude-opus-4.8` there is
/// `claude-opus-4-8` at its maker).
fn behind_copilot(model: &str) -> Option<(&'static str, String)> {
    match model.split_once('-')?.0 {
        "claude" => Some(("anthropic", model.replace('.', "-"))),
        "gemini" => Some(("gemini", model.to_owned())),
        "gpt" | "o1" | "o3" | "o4" => Some(("openai", model.to_owned())),
        _ => None,
    }
}
