//! Why a place refuses a credential: read from the status, the headers and the beginning of the body of a 401 or 403, as far
//! as providers say. What none of the tables knows is left unsaid.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER, WWW_AUTHENTICATE};
use reeve_domain::health::Refusal;

/// Most of a body that is looked at, in bytes.
pub const LOOKED_AT: usize = 8 * 1024;

/// A place whose clock differs by more than this refuses what is signed with a time, in seconds.
const SKEW: i64 = 300;

/// What the texts and codes of an answer mean, in the order in which they are looked for: what is said to be a limit or the
/// clock is no fault of the credential, and a code says more than a sentence. All lower case.
const SAYS: &[(Refusal, &[&str])] = &[
    (
        Refusal::RateLimited,
        &[
            "rate limit",
            "rate_limit",
            "ratelimitexceeded",
            "quotaexceeded",
            "quota exceeded",
            "resource_exhausted",
            "too many requests",
            "throttl",
            "abuse detection",
        ],
    ),
    (
        Refusal::ClockSkew,
        &[
            "requesttimetooskewed",
            "request time too skewed",
            "signature not yet current",
            "signature expired",
            "check your iat and exp",
            "'issued at' claim",
            "'expiration time' claim",
            "issued in the future",
            "token used too early",
            "clock skew",
        ],
    ),
    (
        Refusal::WrongScope,
        &[
            "insufficient_scope",
            "access_token_scope_insufficient",
            "insufficient permission",
            "insufficient_permissions",
            "missing scope",
            "missing_scope",
            "permission_error",
            "permission_denied",
            "resource not accessible by",
            "api_key_service_blocked",
            "api_key_http_referrer_blocked",
            "api_key_ip_address_blocked",
            "accessdenied",
            "must have admin rights",
            "not authorized to perform",
        ],
    ),
    (
        Refusal::Revoked,
        &[
            "revoked",
            "account_deactivated",
            "account_inactive",
            "account has been deactivated",
            "organization has been disabled",
            "consumer_suspended",
            "has been suspended",
            "user_deactivated",
        ],
    ),
    (Refusal::Expired, &["expired", "token_expired", "expiredtoken"]),
    (
        Refusal::Invalid,
        &[
            "invalid_api_key",
            "api_key_invalid",
            "invalid x-api-key",
            "invalid bearer token",
            "incorrect api key",
            "bad credentials",
            "api key not valid",
            "invalid_token",
            "invalid_auth",
            "invalidclienttokenid",
            "unrecognizedclientexception",
            "signaturedoesnotmatch",
            "invalid authentication credentials",
        ],
    ),
];

/// Reads why. `body`: as much of its beginning as is there, decoded. `now`: this machine's clock.
#[must_use]
pub fn read(status: u16, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Refusal {
    let none_left = headers.get("x-ratelimit-remaining").is_some_and(|left| left.as_bytes() == b"0");
    if status == 403 && (none_left || headers.contains_key(RETRY_AFTER)) {
        return Refusal::RateLimited;
    }
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let beginning = body.get(..LOOKED_AT.min(body.len())).unwrap_or_default();
    let mut text = challenges.collect::<Vec<_>>().join("\n");
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(beginning));
    let text = text.to_lowercase();
    let said = SAYS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word))).map(|(refusal, _)| *refusal);
    // A place that calls a credential expired or unknown while both clocks differ speaks of the clock.
    let skewed = date(headers).is_some_and(|there| (there - now).num_seconds().abs() > SKEW);
    match said {
        Some(Refusal::Expired | Refusal::Invalid) | None if skewed && status == 401 => Refusal::ClockSkew,
        Some(said) => said,
        None => Refusal::Unsaid,
    }
}

fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc2822("Sat, 21 Nov 2026 12:00:00 GMT").unwrap().to_utc()
    }

    fn why(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Refusal {
        let headers = headers.iter().map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, http::HeaderValue::from_static(value))
        });
        read(status, &headers.collect(), body.as_bytes(), now())
    }

    #[test]
    fn each_provider_is_understood_as_far_as_it_says() {
        use Refusal::{Expired, Invalid, RateLimited, Revoked, Unsaid, WrongScope};
        for (status, body, expected) in [
            // Anthropic
            (401, r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#, Invalid),
            (
                401,
                r#"{"error":{"type":"authentication_error","message":"OAuth token has expired. Please refresh."}}"#,
                Expired,
            ),
            (403, r#"{"error":{"type":"permission_error","message":"OAuth token has been revoked."}}"#, WrongScope),
            (401, r#"{"error":{"type":"authentication_error","message":"OAuth token has been revoked."}}"#, Revoked),
            (
                403,
                r#"{"error":{"type":"permission_error","message":"Your API key does not have permission"}}"#,
                WrongScope,
            ),
            // OpenAI
            (401, r#"{"error":{"message":"Incorrect API key provided: sk-1","code":"invalid_api_key"}}"#, Invalid),
            (401, r#"{"error":{"message":"Your session has expired","code":"token_expired"}}"#, Expired),
            (401, r#"{"error":{"message":"gone","code":"account_deactivated"}}"#, Revoked),
            (
                403,
                r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: model.read"}}"#,
                WrongScope,
            ),
            // GitHub
            (401, r#"{"message":"Bad credentials","status":"401"}"#, Invalid),
            (403, r#"{"message":"Resource not accessible by personal access token"}"#, WrongScope),
            (403, r#"{"message":"You have exceeded a secondary rate limit. Please wait"}"#, RateLimited),
            (
                401,
                r#"{"message":"'Issued at' claim ('iat') must be an Integer representing the time"}"#,
                Refusal::ClockSkew,
            ),
            // Google
            (400, r#"{"error":{"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#, Invalid),
            (403, r#"{"error":{"details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}"#, WrongScope),
            (403, r#"{"error":{"errors":[{"reason":"userRateLimitExceeded"}]}}"#, RateLimited),
            (401, r#"{"error":{"details":[{"reason":"ACCESS_TOKEN_EXPIRED"}]}}"#, Expired),
            (403, r#"{"error":{"details":[{"reason":"CONSUMER_SUSPENDED"}]}}"#, Revoked),
            // Amazon
            (403, "<Error><Code>RequestTimeTooSkewed</Code></Error>", Refusal::ClockSkew),
            (403, "<Error><Code>ExpiredToken</Code></Error>", Expired),
            (403, "<Error><Code>AccessDenied</Code></Error>", WrongScope),
            // Nobody says
            (401, "", Unsaid),
            (403, "<html>Forbidden</html>", Unsaid),
        ] {
            assert_eq!(why(status, &[], body), expected, "{status} {body}");
        }
    }

    #[test]
    fn headers_say_it_too() {
        let scope = [("www-authenticate", "Bearer error=\"insufficient_scope\", scope=\"repo\"")];
        assert_eq!(why(403, &scope, ""), Refusal::WrongScope);
        let expired =
            [("www-authenticate", "Bearer error=\"invalid_token\", error_description=\"The access token expired\"")];
        assert_eq!(why(401, &expired, ""), Refusal::Expired);
        assert_eq!(why(403, &[("x-ratelimit-remaining", "0")], "{}"), Refusal::RateLimited);
        assert_eq!(why(403, &[("retry-after", "60")], "{}"), Refusal::RateLimited);
        assert_eq!(why(401, &[("x-ratelimit-remaining", "0")], r#"{"message":"Bad credentials"}"#), Refusal::Invalid);
    }

    #[test]
    fn a_clock_that_differs_is_what_makes_a_token_look_expired() {
        let body = r#"{"error":"token_expired"}"#;
        assert_eq!(why(401, &[("date", "Sat, 21 Nov 2026 12:20:00 GMT")], body), Refusal::ClockSkew);
        assert_eq!(why(401, &[("date", "Sat, 21 Nov 2026 12:01:00 GMT")], body), Refusal::Expired);
        assert_eq!(why(401, &[("date", "Sat, 21 Nov 2026 12:20:00 GMT")], "token revoked"), Refusal::Revoked);
        assert_eq!(why(401, &[("date", "yesterday")], body), Refusal::Expired);
    }

    #[test]
    fn only_the_beginning_of_a_body_is_looked_at() {
        let body = format!("{}revoked", " ".repeat(LOOKED_AT));
        assert_eq!(why(401, &[], &body), Refusal::Unsaid);
    }
}
