//! The environment of a governed session: where the proxy is and who is asking, whom to trust, and decoys instead of keys.
//! Everything else the child inherits as it is.
//!
//! `NO_PROXY` is set and empty, loopback included: a model served on this machine, a local API and a debug port are
//! destinations like any other, and the address check lets them pass when a rule names them. An exception here would be a
//! route that is neither judged nor recorded.

mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use reeve_domain::id::{AgentId, SessionId};
use serde::{Serialize, Serializer};

use crate::SandboxError;
use crate::catalog::{NeedValue, Tool};

pub use shell::Shell;

/// Variables that carry the proxy with the session's token. Lower and upper case: each family of tools reads only one.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"];

/// Variables that name exceptions from the proxy. Set and empty: unset, a tool may fall back to a list of its own.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Variables in which a runtime or tool looks for a file of trusted roots. Most of them replace what the tool trusts, so the
/// file has to be whole: system roots, roots that were configured before, and the session's CA.
pub(crate) const TRUST: [&str; 16] = [
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "npm_config_cafile",
    "PIP_CERT",
    "DENO_CERT",
    "CARGO_HTTP_CAINFO",
    "NIX_SSL_CERT_FILE",
    "HTTPLIB2_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "BUNDLE_SSL_CA_CERT",
    "HEX_CACERTS_PATH",
];

/// Variables that send one tool or one kind of traffic some other way. They are taken out, compared without case.
const BYPASSES: [&str; 21] = [
    "ALL_PROXY",
    "FTP_PROXY",
    "SOCKS_PROXY",
    "RSYNC_PROXY",
    "WS_PROXY",
    "WSS_PROXY",
    "GRPC_PROXY",
    "NO_GRPC_PROXY",
    "npm_config_proxy",
    "npm_config_http_proxy",
    "npm_config_https_proxy",
    "npm_config_noproxy",
    "YARN_HTTP_PROXY",
    "YARN_HTTPS_PROXY",
    "PIP_PROXY",
    "CARGO_HTTP_PROXY",
    "GIT_PROXY_COMMAND",
    "GLOBAL_AGENT_HTTP_PROXY",
    "GLOBAL_AGENT_HTTPS_PROXY",
    "GLOBAL_AGENT_NO_PROXY",
    "ANTHROPIC_UNIX_SOCKET",
];

/// The inherited variables, as far as they are text.
pub type Inherited = BTreeMap<String, String>;

/// The variables of this process. What is not UTF-8 is passed on untouched and not looked at.
#[must_use]
pub fn inherited() -> Inherited {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What a session's environment is made of.
pub struct Wiring<'a> {
    pub proxy: SocketAddr,
    /// Where the MCP endpoint is; a server's URL is this, `/` and its name.
    pub mcp: Option<&'a str>,
    /// The session's token. It is the one secret of ours that an environment holds; it opens this session and nothing else.
    pub token: &'a str,
    /// The file of [`crate::trust::write_bundle`].
    pub bundle: &'a Path,
    pub agent: &'a AgentId,
    pub session: &'a SessionId,
    pub tool: Option<&'a Tool>,
    /// Variable and decoy of every credential bound to this agent.
    pub placeholders: &'a [(String, String)],
    /// What `[upstream] proxy` names, when it does.
    pub upstream_proxy: Option<&'a str>,
    pub inherited: &'a Inherited,
}

/// Changes to what a child inherits. Everything not named stays as it is.
#[derive(Clone, Serialize)]
pub struct Environment {
    #[serde(serialize_with = "as_map")]
    set: Vec<(String, String)>,
    #[serde(rename = "unset")]
    remove: Vec<String>,
    #[serde(skip)]
    warnings: Vec<Warning>,
}

/// Something a person should know about the environment that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A proxy was configured before and is not used, because `[upstream] proxy` does not name it.
    ProxyIgnored { variable: String, address: String },
    /// A variable that would have led around Reeve was taken out.
    BypassRemoved { variable: String },
    /// A key in the environment was taken out, because a stored credential takes its place.
    KeyRemoved { variable: String, instead: String },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProxyIgnored { variable, address } => write!(
                f,
                "`{variable}` named the proxy `{address}`, which Reeve does not use; set `[upstream] proxy` in config.toml to go through it"
            ),
            Self::BypassRemoved { variable } => {
                write!(f, "`{variable}` would lead around Reeve and was left out of the session")
            }
            Self::KeyRemoved { variable, instead } => {
                write!(
                    f,
                    "`{variable}` was left out of the session: the stored credential in `{instead}` takes its place"
                )
            }
        }
    }
}

/// The environment of a session.
///
/// # Errors
/// When the name of a placeholder's variable is not a name, or is one of those that carry proxy, trust or identity.
pub fn for_session(wiring: &Wiring<'_>) -> Result<Environment, SandboxError> {
    let mut set: Vec<(String, String)> = Vec::new();
    let proxy = format!("http://reeve:{}@{}", percent_encoded(wiring.token), wiring.proxy);
    set.extend(PROXY.map(|name| (name.to_owned(), proxy.clone())));
    set.extend(NO_PROXY.map(|name| (name.to_owned(), String::new())));
    // Node's own `fetch` ignores proxies unless told not to (from Node 22.21 and 24 on; older ones ignore this too).
    set.push(("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned()));
    let bundle = wiring.bundle.to_string_lossy();
    set.extend(TRUST.map(|name| (name.to_owned(), bundle.clone().into_owned())));
    set.push(("REEVE_SESSION".to_owned(), wiring.session.to_string()));
    set.push(("REEVE_AGENT".to_owned(), wiring.agent.to_string()));
    if let Some(url) = wiring.mcp {
        set.push(("REEVE_MCP_URL".to_owned(), url.to_owned()));
        set.push(("REEVE_MCP_TOKEN".to_owned(), wiring.token.to_owned()));
    }
    for need in wiring.tool.map(|tool| tool.needs).unwrap_or_default() {
        match need.value {
            NeedValue::Bundle => set.push((need.variable.to_owned(), bundle.clone().into_owned())),
            NeedValue::Default(_) if wiring.inherited.contains_key(need.variable) => {}
            NeedValue::Default(value) => set.push((need.variable.to_owned(), value.to_owned())),
        }
    }
    for (variable, placeholder) in wiring.placeholders {
        check_variable(variable, &set)?;
        set.push((variable.clone(), placeholder.clone()));
    }

    let (mut remove, mut warnings) = take_out_bypasses(wiring.inherited);
    take_out_keys(wiring, &mut remove, &mut warnings);
    warn_of_proxy(wiring, &mut warnings);
    Ok(Environment { set, remove, warnings })
}

fn take_out_bypasses(inherited: &Inherited) -> (Vec<String>, Vec<Warning>) {
    let found: Vec<String> = inherited
        .keys()
        .filter(|name| BYPASSES.iter().any(|bypass| bypass.eq_ignore_ascii_case(name)))
        .cloned()
        .collect();
    let warnings = found.iter().map(|variable| Warning::BypassRemoved { variable: variable.clone() }).collect();
    (found, warnings)
}

/// Once a credential is stored for a host, the tool must not find another key for the same host beside the decoy: many tools
/// prefer one variable over the other, and the real key would travel.
fn take_out_keys(wiring: &Wiring<'_>, remove: &mut Vec<String>, warnings: &mut Vec<Warning>) {
    let placed: BTreeSet<&str> = wiring.placeholders.iter().map(|(variable, _)| variable.as_str()).collect();
    let credentials = wiring.tool.map(|tool| tool.credentials).unwrap_or_default();
    for credential in credentials {
        if placed.contains(credential.variable) || !wiring.inherited.contains_key(credential.variable) {
            continue;
        }
        let instead = credentials.iter().find(|other| other.host == credential.host && placed.contains(other.variable));
        if let Some(instead) = instead {
            let variable = credential.variable.to_owned();
            remove.push(variable.clone());
            warnings.push(Warning::KeyRemoved { variable, instead: instead.variable.to_owned() });
        }
    }
}

fn warn_of_proxy(wiring: &Wiring<'_>, warnings: &mut Vec<Warning>) {
    // Inside another governed session the proxy that was found is Reeve's own.
    if wiring.inherited.contains_key("REEVE_SESSION") {
        return;
    }
    let used = wiring.upstream_proxy.map(address_of);
    let found = PROXY.iter().find_map(|name| Some((*name, wiring.inherited.get(*name)?)));
    if let Some((variable, value)) = found {
        let address = address_of(value);
        if !address.is_empty() && used.as_deref() != Some(address.as_str()) {
            warnings.push(Warning::ProxyIgnored { variable: variable.to_owned(), address });
        }
    }
}

/// Host and port of a proxy URL, without the scheme, without any user name or password.
fn address_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.chars().filter(|c| !c.is_control()).take(260).collect::<String>().to_ascii_lowercase()
}

fn check_variable(variable: &str, taken: &[(String, String)]) -> Result<(), SandboxError> {
    let refuse = |why| Err(SandboxError::PlaceholderVariable { variable: variable.chars().take(64).collect(), why });
    let mut bytes = variable.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !starts || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return refuse("use letters, digits and `_`, not beginning with a digit");
    }
    let mut steers = BYPASSES.iter().chain(&["PATH", "HOME", "SHELL", "LD_PRELOAD"]);
    if steers.any(|name| name.eq_ignore_ascii_case(variable)) {
        return refuse("it steers the session itself");
    }
    if taken.iter().any(|(name, _)| name.eq_ignore_ascii_case(variable)) {
        return refuse("it is in use already");
    }
    Ok(())
}

/// A token is URL-safe as the engine makes it; this holds even when it is not.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

impl Environment {
    /// One more variable for the child.
    pub fn add(&mut self, variable: &str, value: &str) {
        self.set.push((variable.to_owned(), value.to_owned()));
    }

    /// Names and values to set, in no order that matters.
    #[must_use]
    pub fn set(&self) -> &[(String, String)] {
        &self.set
    }

    /// Names to take out.
    #[must_use]
    pub fn remove(&self) -> &[String] {
        &self.remove
    }

    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Lines that make a running shell part of the session.
    #[must_use]
    pub fn lines(&self, shell: Shell) -> String {
        let unset = self.remove.iter().map(|name| shell.unset(name));
        let set = self.set.iter().map(|(name, value)| shell.set(name, value));
        unset.chain(set).map(|line| line + "\n").collect()
    }
}

/// Names only: the values hold the token.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.set.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Environment").field("set", &names).field("remove", &self.remove).finish_non_exhaustive()
    }
}

fn as_map<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

#[cfg(test)]
mod tests;
