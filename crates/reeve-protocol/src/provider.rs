//! Which requests are calls to a language model, in which dialect, and who bills them.

use reeve_domain::host::Host;
use reeve_domain::operation::{Dialect, Endpoint};

/// The language model behind an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// As the price table names providers: `anthropic`, `openai`, `gemini`, `github_copilot`, or as declared.
    pub name: String,
    pub dialect: Dialect,
    pub login: Login,
}

/// What kind of login a host takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// API keys, billed by token.
    Key,
    /// API keys, or an OAuth login with a flat rate (Claude).
    KeyOrFlat,
    /// Only logins with a flat rate (ChatGPT, Copilot, Gemini Code Assist).
    Flat,
}

/// The providers' own hosts, and those that a person declared compatible.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    declared: Vec<Declared>,
}

#[derive(Debug, Clone)]
struct Declared {
    host: Host,
    port: u16,
    dialect: Dialect,
    provider: String,
}

impl Providers {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also reads requests to this host and port, on any path that ends as the dialect's own. `provider` is how the
    /// price table names it. A host may be declared for several dialects.
    #[must_use]
    pub fn with(mut self, host: Host, port: u16, dialect: Dialect, provider: &str) -> Self {
        self.declared.push(Declared { host, port, dialect, provider: provider.to_owned() });
        self
    }

    /// The provider that a request calls; `None` for everything that is plain HTTP: other methods, token counting,
    /// model lists, other hosts. A spelling of the path that a lenient server might accept (another case, a trailing
    /// slash) counts as the path, so that it cannot slip past the meter.
    #[must_use]
    pub fn find(&self, endpoint: &Endpoint) -> Option<Provider> {
        if endpoint.method == "POST" { self.at(endpoint) } else { None }
    }

    /// The provider whose WebSocket an upgrade asks for. Frames are not metered: answer with
    /// [`crate::denial::upgrade_required`], and the clients fall back to HTTP.
    #[must_use]
    pub fn find_upgrade(&self, endpoint: &Endpoint) -> Option<Provider> {
        let path = normal(endpoint);
        let host = endpoint.host.name()?;
        let live = (is_openai(host) && path.ends_with("/realtime")).then_some(("openai", Dialect::OpenaiResponses));
        let live = live.or_else(|| {
            let gemini = host == "generativelanguage.googleapis.com" && path.starts_with("/ws/");
            gemini.then_some(("gemini", Dialect::Gemini))
        });
        let known = live.map(|(name, dialect)| Provider { name: name.to_owned(), dialect, login: Login::Key });
        known.or_else(|| self.at(endpoint))
    }

    fn at(&self, endpoint: &Endpoint) -> Option<Provider> {
        let path = normal(endpoint);
        let dialect_of = |dialects: &[Dialect]| dialects.iter().copied().find(|dialect| is_call(*dialect, &path));
        let declared = self.declared.iter().find(|declared| {
            declared.host == endpoint.host && declared.port == endpoint.port && is_call(declared.dialect, &path)
        });
        if let Some(declared) = declared {
            let name = declared.provider.clone();
            return Some(Provider { name, dialect: declared.dialect, login: Login::Key });
        }
        let (name, dialects, login) = own(endpoint.host.name()?)?;
        Some(Provider { name: name.to_owned(), dialect: dialect_of(dialects)?, login })
    }
}

/// The providers' own hosts, with the dialects spoken there. Any port: a resolve override may move it.
fn own(host: &str) -> Option<(&'static str, &'static [Dialect], Login)> {
    use Dialect::{AnthropicMessages, Gemini, GeminiCodeAssist, OpenaiChat, OpenaiResponses};
    match host {
        "api.anthropic.com" => Some(("anthropic", &[AnthropicMessages], Login::KeyOrFlat)),
        "chatgpt.com" => Some(("openai", &[OpenaiResponses], Login::Flat)),
        "generativelanguage.googleapis.com" => Some(("gemini", &[Gemini, OpenaiChat], Login::Key)),
        "cloudcode-pa.googleapis.com" => Some(("gemini", &[GeminiCodeAssist], Login::Flat)),
        _ if is_openai(host) => Some(("openai", &[OpenaiChat, OpenaiResponses], Login::Key)),
        _ if is_copilot(host) => {
            Some(("github_copilot", &[AnthropicMessages, OpenaiChat, OpenaiResponses], Login::Flat))
        }
        _ => None,
    }
}

/// `api.openai.com` and its regions, `us.api.openai.com`.
fn is_openai(host: &str) -> bool {
    host == "api.openai.com" || host.ends_with(".api.openai.com")
}

/// `api.githubcopilot.com`, `api.business.githubcopilot.com`, …
fn is_copilot(host: &str) -> bool {
    host.strip_suffix(".githubcopilot.com").is_some_and(|sub| sub == "api" || sub.starts_with("api."))
}

/// Price multiplier of a host that keeps data in a region.
pub(crate) fn region(host: &Host) -> Option<&'static str> {
    match host.name()?.strip_suffix(".api.openai.com")? {
        "us" => Some("region_us"),
        "eu" => Some("region_eu"),
        _ => Some("region_any"),
    }
}

fn normal(endpoint: &Endpoint) -> String {
    endpoint.path.judged().trim_end_matches('/').to_ascii_lowercase()
}

fn is_call(dialect: Dialect, path: &str) -> bool {
    match dialect {
        Dialect::AnthropicMessages => path.ends_with("/messages"),
        Dialect::OpenaiChat => path.ends_with("/chat/completions"),
        // Codex has long conversations compacted by a call of its own, billed like any other.
        Dialect::OpenaiResponses => path.ends_with("/responses") || path.ends_with("/responses/compact"),
        Dialect::Gemini | Dialect::GeminiCodeAssist => {
            path.ends_with(":generatecontent") || path.ends_with(":streamgeneratecontent")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::endpoint;

    fn found(method: &str, url: &str) -> Option<(String, Dialect)> {
        Providers::new().find(&endpoint(method, url)).map(|p| (p.name, p.dialect))
    }

    #[test]
    fn every_endpoint_of_the_real_clients_is_known() {
        use Dialect::{AnthropicMessages, Gemini, GeminiCodeAssist, OpenaiChat, OpenaiResponses};
        for (url, name, dialect) in [
            ("https://api.anthropic.com/v1/messages", "anthropic", AnthropicMessages),
            ("https://api.openai.com/v1/chat/completions", "openai", OpenaiChat),
            ("https://api.openai.com/v1/responses", "openai", OpenaiResponses),
            ("https://api.openai.com/v1/responses/compact", "openai", OpenaiResponses),
            ("https://eu.api.openai.com/v1/responses", "openai", OpenaiResponses),
            ("https://chatgpt.com/backend-api/codex/responses", "openai", OpenaiResponses),
            (
                "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent",
                "gemini",
                Gemini,
            ),
            ("https://generativelanguage.googleapis.com/v1/models/gemini-2.5-pro:generateContent", "gemini", Gemini),
            ("https://generativelanguage.googleapis.com/v1beta/models/m%3AgenerateContent", "gemini", Gemini),
            ("https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "gemini", OpenaiChat),
            ("https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent", "gemini", GeminiCodeAssist),
            ("https://api.business.githubcopilot.com/v1/messages", "github_copilot", AnthropicMessages),
            ("https://api.githubcopilot.com/chat/completions", "github_copilot", OpenaiChat),
            ("https://api.individual.githubcopilot.com/responses", "github_copilot", OpenaiResponses),
        ] {
            assert_eq!(found("POST", url), Some((name.to_owned(), dialect)), "{url}");
        }
    }

    #[test]
    fn counting_tokens_listing_models_and_other_hosts_are_plain_http() {
        for (method, url) in [
            ("POST", "https://api.anthropic.com/v1/messages/count_tokens"),
            ("GET", "https://api.openai.com/v1/models"),
            ("GET", "https://api.openai.com/v1/responses"),
            ("POST", "https://api.openai.com/v1/responses/input_tokens"),
            ("POST", "https://generativelanguage.googleapis.com/v1beta/models/m:countTokens"),
            ("POST", "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist"),
            ("POST", "https://chatgpt.com/backend-api/codex/analytics-events/events"),
            ("POST", "https://example.com/v1/messages"),
            ("POST", "https://xapi.openai.com/v1/responses"),
            ("POST", "https://telemetry.business.githubcopilot.com/v1/messages"),
        ] {
            assert_eq!(found(method, url), None, "{url}");
        }
    }

    #[test]
    fn a_lenient_spelling_of_the_path_is_still_a_call() {
        for url in ["https://api.anthropic.com/v1/Messages", "https://api.anthropic.com/v1/messages/"] {
            assert!(found("POST", url).is_some(), "{url}");
        }
    }

    #[test]
    fn a_declared_host_is_read_in_its_dialects_and_only_on_its_port() {
        let host = Host::parse("llm.corp.example").unwrap();
        let providers = Providers::new().with(host.clone(), 8443, Dialect::OpenaiChat, "acme").with(
            host,
            8443,
            Dialect::AnthropicMessages,
            "acme",
        );
        let at = |url: &str| providers.find(&endpoint("POST", url)).map(|p| (p.name, p.dialect));
        assert_eq!(
            at("https://llm.corp.example:8443/api/v1/chat/completions"),
            Some(("acme".into(), Dialect::OpenaiChat))
        );
        assert_eq!(at("https://llm.corp.example:8443/v1/messages"), Some(("acme".into(), Dialect::AnthropicMessages)));
        assert_eq!(at("https://llm.corp.example:8443/v1/responses"), None);
        assert_eq!(at("https://llm.corp.example/v1/messages"), None);
    }

    #[test]
    fn web_sockets_to_language_models_are_known() {
        let asks = |url: &str| Providers::new().find_upgrade(&endpoint("GET", url)).is_some();
        assert!(asks("https://api.openai.com/v1/responses"));
        assert!(asks("https://api.openai.com/v1/realtime"));
        assert!(asks("https://chatgpt.com/backend-api/codex/responses"));
        assert!(asks("https://api.business.githubcopilot.com/responses"));
        assert!(asks(
            "https://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
        ));
        assert!(!asks("https://example.com/socket"));
        assert!(!asks("https://api.openai.com/v1/models"));
    }
}
