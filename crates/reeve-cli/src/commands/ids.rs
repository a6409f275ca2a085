//! Ids as people type them: whole, or the beginning of one, where only one begins so.

use reeve_api::client::Client;
use reeve_api::contract::approvals::ApprovalsPage;
use reeve_api::contract::calls::{ApprovalsCall, OperationsCall, SessionsCall};
use reeve_api::contract::operations::{SearchInput, SearchPage};
use reeve_api::contract::sessions::SessionDto;
use reeve_api::contract::{ApiCode, ApiError};

/// Characters of a whole id behind its kind.
const WHOLE: usize = 26;
/// Pages of the record that are looked through for one.
const MOST_PAGES: usize = 20;

/// A question.
pub async fn question(client: &Client, given: String) -> Result<String, ApiError> {
    let Some(begun) = begun(&given, "ask_") else { return Ok(given) };
    let page: ApprovalsPage = client.call(&ApprovalsCall::List).await?;
    only(&given, page.open.into_iter().chain(page.resolved).map(|one| one.id).filter(|id| id.starts_with(&begun)))
}

/// A session.
pub async fn session(client: &Client, given: String) -> Result<String, ApiError> {
    let Some(begun) = begun(&given, "ses_") else { return Ok(given) };
    let sessions: Vec<SessionDto> = client.call(&SessionsCall::List).await?;
    only(&given, sessions.into_iter().map(|one| one.id).filter(|id| id.starts_with(&begun)))
}

/// An action.
pub async fn operation(client: &Client, given: String) -> Result<String, ApiError> {
    let Some(begun) = begun(&given, "op_") else { return Ok(given) };
    let (mut found, mut before) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let input = SearchInput { query: format!("record:{begun}*"), before, limit: 2 };
        let page: SearchPage = client.call(&OperationsCall::Search(input)).await?;
        found.extend(page.rows.into_iter().map(|row| row.id));
        before = page.next;
        if found.len() > 1 || before.is_none() {
            return only(&given, found.into_iter());
        }
    }
    // What was not looked through may hold another one.
    let message = format!("`{given}` is the beginning of too many ids, or of one that is too long ago");
    Err(ApiError::new(ApiCode::Invalid, message).hint("type more of it"))
}

/// Of whatever kind the id says to be.
pub async fn any(client: &Client, given: String) -> Result<String, ApiError> {
    match given.split_once('_').map(|(kind, _)| kind) {
        Some("op") => operation(client, given).await,
        Some("ask") => question(client, given).await,
        Some("ses") => session(client, given).await,
        _ => Ok(given),
    }
}

/// What the whole id begins with; `None` where it is whole, or no id at all.
fn begun(given: &str, kind: &str) -> Option<String> {
    let rest = given.strip_prefix(kind)?;
    let plain = (1..WHOLE).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| given.to_ascii_lowercase())
}

fn only(given: &str, mut found: impl Iterator<Item = String>) -> Result<String, ApiError> {
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        // The engine says what it thinks of it.
        (None, _) => Ok(given.to_owned()),
        (Some(one), Some(other)) => {
            let message = format!("`{given}` is the beginning of several ids, `{one}` and `{other}` among them");
            Err(ApiError::new(ApiCode::Invalid, message).hint("type more of it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_an_id_is_looked_up() {
        assert_eq!(begun("ask_01JD", "ask_").as_deref(), Some("ask_01jd"));
        let whole = format!("ask_{}", "0".repeat(WHOLE));
        for other in ["ask_", "op_01", "01jd", "ask_01 OR kind:llm", "ask_01*", &whole] {
            assert_eq!(begun(other, "ask_"), None, "{other}");
        }
    }

    #[test]
    fn a_beginning_that_several_have_is_refused_and_one_that_none_has_is_left_to_the_engine() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>().into_iter();
        assert_eq!(only("ask_1", ids(&["ask_12"])).unwrap(), "ask_12");
        assert_eq!(only("ask_1", ids(&[])).unwrap(), "ask_1");
        assert_eq!(only("ask_1", ids(&["ask_12", "ask_13"])).unwrap_err().code, ApiCode::Invalid);
    }
}
