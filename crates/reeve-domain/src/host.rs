//! Hosts, authorities and host patterns: one parser for names. It is stricter than the URL standard: what two parsers
//! could read differently (escapes, raw UTF-8, odd forms of IPv4) is refused, not repaired.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// Longest name without its trailing dot, in bytes (RFC 1035).
const LONGEST_NAME: usize = 253;
/// Longest label, in bytes (RFC 1035).
const LONGEST_LABEL: usize = 63;

/// A host, authority or host pattern that breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {what}: {rule}")]
pub struct HostError {
    what: &'static str,
    /// At most 64 characters of what was given, controls escaped.
    given: String,
    rule: HostRule,
}

impl HostError {
    fn new(what: &'static str, given: &str, rule: HostRule) -> Self {
        Self { what, given: given.chars().take(64).flat_map(char::escape_debug).collect(), rule }
    }

    /// The rule that was broken.
    #[must_use]
    pub fn rule(&self) -> HostRule {
        self.rule
    }
}

/// The rules of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HostRule {
    #[error("it is empty")]
    Empty,
    #[error("only ASCII is accepted, write an international name in its `xn--` form")]
    Ascii,
    #[error("percent escapes are not accepted")]
    Percent,
    #[error("user and password are not accepted in it")]
    Userinfo,
    #[error("only letters, digits, `-` and `.` are accepted")]
    Character,
    #[error("a label is empty")]
    EmptyLabel,
    #[error("a label is longer than 63 bytes")]
    LabelLength,
    #[error("the name is longer than 253 bytes")]
    NameLength,
    #[error("a label starts or ends with `-`")]
    Hyphen,
    #[error("an `xn--` label is not valid punycode")]
    Punycode,
    #[error("an IPv4 address must be four decimal numbers from 0 to 255 without leading zeros")]
    Ipv4,
    #[error("an IPv6 address must be in plain RFC 4291 form, without zone")]
    Ipv6,
    #[error("an IPv6 address must stand in brackets here")]
    Brackets,
    #[error("the port must be a number from 1 to 65535 in plain digits")]
    Port,
    #[error("the port is missing")]
    PortMissing,
    #[error("`*` is accepted only as the whole first label, before a name of at least one label")]
    Wildcard,
}

/// A host as judged: lower-case ASCII LDH name without trailing dot, or an IP address in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    Name(String),
    Ip(IpAddr),
}

impl Host {
    /// Reads a host alone, without port. IPv6 may stand in brackets or bare. One trailing dot of a name is dropped,
    /// upper case is lowered; nothing else is repaired.
    ///
    /// # Errors
    /// Names the rule that was broken.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        Self::read(text).map_err(|rule| HostError::new("host", text, rule))
    }

    fn read(text: &str) -> Result<Self, HostRule> {
        check_characters(text)?;
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(HostRule::Ipv6)?;
            return inner.parse::<Ipv6Addr>().map(|ip| Self::Ip(ip.into())).map_err(|_| HostRule::Ipv6);
        }
        if text.contains(':') {
            return text.parse::<Ipv6Addr>().map(|ip| Self::Ip(ip.into())).map_err(|_| HostRule::Ipv6);
        }
        if text.bytes().any(|b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'.')) {
            return Err(HostRule::Character);
        }
        let folded = text.strip_suffix('.').unwrap_or(text);
        if looks_numeric(folded) {
            return text.parse::<Ipv4Addr>().map(|ip| Self::Ip(ip.into())).map_err(|_| HostRule::Ipv4);
        }
        read_name(folded).map(Self::Name)
    }

    /// The name, where it is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Ip(_) => None,
        }
    }

    /// The address, where it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::Ip(ip) => Some(*ip),
        }
    }

    /// The name itself and every parent on a label boundary: `a.b.com`, `b.com`, `com`. Nothing for an address.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(self.name(), |rest| rest.split_once('.').map(|(_, parent)| parent))
    }
}

/// What no part of an authority may hold, told apart so that people see what was wrong.
fn check_characters(text: &str) -> Result<(), HostRule> {
    if text.is_empty() {
        return Err(HostRule::Empty);
    }
    if !text.is_ascii() {
        return Err(HostRule::Ascii);
    }
    if text.contains('@') {
        return Err(HostRule::Userinfo);
    }
    if text.contains('%') {
        return Err(HostRule::Percent);
    }
    Ok(())
}

/// Whether URL parsers take this for an IPv4 address: its last label is a decimal, octal or hexadecimal number.
fn looks_numeric(folded: &str) -> bool {
    let last = folded.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
        || hex.is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn read_name(folded: &str) -> Result<String, HostRule> {
    if folded.len() > LONGEST_NAME {
        return Err(HostRule::NameLength);
    }
    for label in folded.split('.') {
        if label.is_empty() {
            return Err(HostRule::EmptyLabel);
        }
        if label.len() > LONGEST_LABEL {
            return Err(HostRule::LabelLength);
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(HostRule::Hyphen);
        }
    }
    let name = folded.to_ascii_lowercase();
    // The URL parser has the last word on punycode; what it would change is refused.
    match url::Host::parse(&name) {
        Ok(url::Host::Domain(same)) if same == name => Ok(name),
        _ => Err(HostRule::Punycode),
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;
    fn try_from(text: String) -> Result<Self, HostError> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for Host {
    type Err = HostError;
    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.to_string()
    }
}

/// IPv6 is written without brackets; `Authority` adds them.
impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(ip) => write!(f, "{ip}"),
        }
    }
}

/// Host and port as they stand in a CONNECT target, a `Host` header or `:authority`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Authority {
    pub host: Host,
    pub port: u16,
}

impl Authority {
    /// Reads `host`, `host:port` or `[v6]:port`. Without a default the port must be given, as in a CONNECT target.
    ///
    /// # Errors
    /// Names the rule that was broken.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, HostError> {
        Self::read(text, default_port).map_err(|rule| HostError::new("authority", text, rule))
    }

    fn read(text: &str, default_port: Option<u16>) -> Result<Self, HostRule> {
        check_characters(text)?;
        let (host, port) = if text.starts_with('[') {
            let end = text.find(']').ok_or(HostRule::Ipv6)?;
            let (host, rest) = text.split_at(end + 1);
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(HostRule::Port),
            }
        } else {
            match text.split_once(':') {
                Some((_, rest)) if rest.contains(':') => return Err(HostRule::Brackets),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        let host = Host::read(host)?;
        let port = match port {
            Some(digits) => read_port(digits)?,
            None => default_port.ok_or(HostRule::PortMissing)?,
        };
        Ok(Self { host, port })
    }

    /// As a `Host` header or `:authority` carries it: the port is left out where it is the scheme's own.
    #[must_use]
    pub fn to_header(&self, default_port: u16) -> String {
        let full = self.to_string();
        if self.port == default_port {
            full.strip_suffix(&format!(":{default_port}")).map(ToOwned::to_owned).unwrap_or(full)
        } else {
            full
        }
    }
}

fn read_port(digits: &str) -> Result<u16, HostRule> {
    let plain = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().map_err(|_| HostRule::Port) } else { Err(HostRule::Port) }
}

impl std::fmt::Display for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// A host as files and bindings name it: exact, or `*.example.com` for exactly one label before that name (never the
/// name itself, never two labels).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostPattern {
    Exact(Host),
    /// The name after `*.`.
    OneLabelBefore(String),
}

impl HostPattern {
    /// # Errors
    /// Names the rule that was broken.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let wrong = |rule| HostError::new("host pattern", text, rule);
        let Some(rest) = text.strip_prefix("*.") else {
            if text.contains('*') {
                return Err(wrong(HostRule::Wildcard));
            }
            return Host::read(text).map(Self::Exact).map_err(wrong);
        };
        match Host::read(rest) {
            // Room must be left for a label of one byte and its dot.
            Ok(Host::Name(name)) if name.len() + 2 <= LONGEST_NAME => Ok(Self::OneLabelBefore(name)),
            Ok(Host::Name(_)) => Err(wrong(HostRule::NameLength)),
            Ok(Host::Ip(_)) => Err(wrong(HostRule::Wildcard)),
            Err(_) if rest.contains('*') => Err(wrong(HostRule::Wildcard)),
            Err(rule) => Err(wrong(rule)),
        }
    }

    #[must_use]
    pub fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exact(exact), host) => exact == host,
            (Self::OneLabelBefore(base), Host::Name(name)) => {
                name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == base)
            }
            (Self::OneLabelBefore(_), Host::Ip(_)) => false,
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostError;
    fn try_from(text: String) -> Result<Self, HostError> {
        Self::parse(&text)
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(host) => write!(f, "{host}"),
            Self::OneLabelBefore(base) => write!(f, "*.{base}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_hosts_come_out_in_one_form() {
        let long = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61));
        assert_eq!(long.len(), 253);
        for (given, want) in [
            ("example.com", "example.com"),
            ("API.Example.COM", "api.example.com"),
            ("example.com.", "example.com"),
            ("localhost", "localhost"),
            ("a", "a"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("r3---sn-4g5e6nls.googlevideo.com", "r3---sn-4g5e6nls.googlevideo.com"),
            ("1password.com", "1password.com"),
            ("1.2.3.4.example", "1.2.3.4.example"),
            ("0xg.example", "0xg.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("255.255.255.255", "255.255.255.255"),
            ("[::1]", "::1"),
            ("::1", "::1"),
            ("[2001:DB8:0:0::1]", "2001:db8::1"),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
            (long.as_str(), long.as_str()),
        ] {
            let host = Host::parse(given).unwrap_or_else(|e| panic!("{given}: {e}"));
            assert_eq!(host.to_string(), want, "{given}");
            assert_eq!(Host::parse(want), Ok(host), "{want} parses back");
        }
    }

    use HostRule as R;

    const BAD: &[(&str, HostRule)] = &[
        ("", R::Empty),
        (".", R::EmptyLabel),
        ("..", R::EmptyLabel),
        (".com", R::EmptyLabel),
        ("example..com", R::EmptyLabel),
        ("example.com..", R::EmptyLabel),
        ("bücher.example", R::Ascii),
        ("example\u{3002}com", R::Ascii),
        ("ex\u{ad}ample.com", R::Ascii),
        ("a\u{2a74}b.com", R::Ascii),
        ("exa\u{a0}mple.com", R::Ascii),
        ("\u{ff11}\u{ff12}7.0.0.1", R::Ascii),
        ("１27.0.0.1", R::Ascii),
        ("examp%6ce.com", R::Percent),
        ("example.com%00.evil.com", R::Percent),
        ("[fe80::1%25eth0]", R::Percent),
        ("[fe80::1%eth0]", R::Percent),
        ("user@example.com", R::Userinfo),
        ("user:pass@example.com", R::Userinfo),
        ("good.com@evil.com", R::Userinfo),
        ("exa mple.com", R::Character),
        (" example.com", R::Character),
        ("example.com ", R::Character),
        ("example.com\r\n", R::Character),
        ("example.com\0", R::Character),
        ("example.com\t", R::Character),
        ("example.com/", R::Character),
        ("example.com\\", R::Character),
        ("example.com?x", R::Character),
        ("example.com#x", R::Character),
        ("exa_mple.com", R::Character),
        ("example,com", R::Character),
        ("example.com,evil.com", R::Character),
        ("*.example.com", R::Character),
        ("exa<mple.com", R::Character),
        ("a|b.com", R::Character),
        ("a^b.com", R::Character),
        ("a`b.com", R::Character),
        ("a{b}.com", R::Character),
        ("a\"b.com", R::Character),
        ("a;b.com", R::Character),
        ("a&b.com", R::Character),
        ("a=b.com", R::Character),
        ("a+b.com", R::Character),
        ("a!b.com", R::Character),
        ("a$b.com", R::Character),
        ("a\x7fb.com", R::Character),
        ("a\x1bb.com", R::Character),
        ("-example.com", R::Hyphen),
        ("example-.com", R::Hyphen),
        ("example.-com", R::Hyphen),
        ("xn--", R::Hyphen),
        ("xn--a.com", R::Punycode),
        ("xn--0.com", R::Punycode),
        ("xn--ls8h=.la", R::Character),
        ("xn--zn7c.com", R::Punycode),
        ("2130706433", R::Ipv4),
        ("0x7f000001", R::Ipv4),
        ("0x7f.1", R::Ipv4),
        ("0X7F.0.0.0X1", R::Ipv4),
        ("017700000001", R::Ipv4),
        ("0177.0.0.1", R::Ipv4),
        ("127.1", R::Ipv4),
        ("127.0.1", R::Ipv4),
        ("127.0.0.1.", R::Ipv4),
        ("127.0.0.01", R::Ipv4),
        ("127.0.0.256", R::Ipv4),
        ("1.2.3.4.5", R::Ipv4),
        ("256.256.256.256", R::Ipv4),
        ("4294967296", R::Ipv4),
        ("0", R::Ipv4),
        ("0x", R::Ipv4),
        ("a.0x", R::Ipv4),
        ("foo.0x4", R::Ipv4),
        ("foo.09", R::Ipv4),
        ("example.com.1", R::Ipv4),
        ("..1", R::Ipv4),
        ("[::1", R::Ipv6),
        ("::1]", R::Ipv6),
        ("[]", R::Ipv6),
        ("[:]", R::Ipv6),
        ("[1::2::3]", R::Ipv6),
        ("[12345::1]", R::Ipv6),
        ("[::127.0.0.256]", R::Ipv6),
        ("[::0x7f.0.0.1]", R::Ipv6),
        ("[::1.2.3]", R::Ipv6),
        ("[127.0.0.1]", R::Ipv6),
        ("[v1.fe80::1]", R::Ipv6),
        ("[[::1]]", R::Ipv6),
        ("[::1]x", R::Ipv6),
        ("[ ::1]", R::Ipv6),
        ("1:2", R::Ipv6),
        ("example.com:443", R::Ipv6),
        ("http://example.com", R::Ipv6),
    ];

    #[test]
    fn bad_hosts_are_refused_and_the_rule_is_named() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(62));
        let long = [(long_label.as_str(), R::LabelLength), (long_name.as_str(), R::NameLength)];
        for &(given, rule) in BAD.iter().chain(&long) {
            match Host::parse(given) {
                Ok(host) => panic!("{given:?} was taken as {host}"),
                Err(error) => assert_eq!(error.rule(), rule, "{given:?}: {error}"),
            }
        }
    }

    #[test]
    fn what_reeve_takes_the_url_parser_takes_as_the_same_host() {
        for text in
            ["example.com", "EXAMPLE.com", "127.0.0.1", "xn--bcher-kva.example", "a-b.c", "[::1]", "[64:ff9b::1]"]
        {
            let ours = Host::parse(text).unwrap();
            let theirs = match url::Host::parse(text).unwrap() {
                url::Host::Domain(name) => Host::Name(name),
                url::Host::Ipv4(ip) => Host::Ip(ip.into()),
                url::Host::Ipv6(ip) => Host::Ip(ip.into()),
            };
            assert_eq!(ours, theirs, "{text}");
        }
    }

    #[test]
    fn authorities_need_a_port_where_no_default_is_given() {
        for (given, default, want) in [
            ("example.com:443", None, "example.com:443"),
            ("Example.com.:8443", Some(443), "example.com:8443"),
            ("example.com", Some(443), "example.com:443"),
            ("[::1]:8080", None, "[::1]:8080"),
            ("[::1]", Some(80), "[::1]:80"),
            ("10.0.0.1:1", None, "10.0.0.1:1"),
            ("10.0.0.1:65535", None, "10.0.0.1:65535"),
        ] {
            let authority = Authority::parse(given, default).unwrap_or_else(|e| panic!("{given}: {e}"));
            assert_eq!(authority.to_string(), want);
        }
        for (given, default, rule) in [
            ("", Some(443), R::Empty),
            (":443", None, R::Empty),
            ("example.com", None, R::PortMissing),
            ("[::1]", None, R::PortMissing),
            ("example.com:", Some(443), R::Port),
            ("example.com:0", None, R::Port),
            ("example.com:00443", None, R::Port),
            ("example.com:+443", None, R::Port),
            ("example.com:-1", None, R::Port),
            ("example.com: 443", None, R::Port),
            ("example.com:443 ", None, R::Port),
            ("example.com:65536", None, R::Port),
            ("example.com:99999999999999999999", None, R::Port),
            ("example.com:0x1bb", None, R::Port),
            ("example.com:https", None, R::Port),
            ("example.com:443/", None, R::Port),
            ("example.com:443@evil.com", None, R::Userinfo),
            ("a:b@example.com:443", None, R::Userinfo),
            ("example.com:443:443", None, R::Brackets),
            ("::1:443", None, R::Brackets),
            ("2001:db8::1", Some(443), R::Brackets),
            ("[::1]443", None, R::Port),
            ("[::1]:", Some(443), R::Port),
            ("[::1]]:443", None, R::Port),
            ("[::1:443", None, R::Ipv6),
            ("example.com:４43", None, R::Ascii),
            ("exam%70le.com:443", None, R::Percent),
            ("http://example.com:443", None, R::Brackets),
            ("example.com/x:443", None, R::Character),
        ] {
            match Authority::parse(given, default) {
                Ok(authority) => panic!("{given:?} was taken as {authority}"),
                Err(error) => assert_eq!(error.rule(), rule, "{given:?}: {error}"),
            }
        }
    }

    #[test]
    fn a_header_leaves_out_the_schemes_own_port_only() {
        let v6 = Authority::parse("[::1]:443", None).unwrap();
        assert_eq!((v6.to_header(443), v6.to_header(80)), ("[::1]".to_owned(), "[::1]:443".to_owned()));
        let odd = Authority::parse("example.com:8443", None).unwrap();
        assert_eq!(odd.to_header(443), "example.com:8443");
    }

    #[test]
    fn an_error_quotes_little_of_what_was_given_and_escapes_controls() {
        let error = Host::parse(&format!("\u{1b}[31m{}", "x ".repeat(500))).unwrap_err().to_string();
        assert!(error.len() < 200, "{error}");
        assert!(!error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn a_wildcard_matches_one_label_and_never_the_apex() {
        let pattern = HostPattern::parse("*.Example.com").unwrap();
        assert_eq!(pattern.to_string(), "*.example.com");
        for (host, matches) in [
            ("a.example.com", true),
            ("A.example.com.", true),
            ("example.com", false),
            ("a.b.example.com", false),
            ("aexample.com", false),
            ("example.com.evil.com", false),
            ("a.example.co", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(pattern.matches(&Host::parse(host).unwrap()), matches, "{host}");
        }
        let exact = HostPattern::parse("10.0.0.1").unwrap();
        assert!(exact.matches(&Host::parse("10.0.0.1").unwrap()));
        assert!(!exact.matches(&Host::parse("10.0.0.2").unwrap()));
    }

    #[test]
    fn patterns_with_the_star_anywhere_else_are_refused() {
        for bad in ["*", "*.", "**.example.com", "*.*.example.com", "a.*.com", "a*.example.com", "*a.com", "example.*"]
        {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
        for bad in ["*.10.0.0.1", "*.[::1]", "*.1", "*example.com", "*.exa mple.com", ""] {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn suffixes_end_at_label_boundaries() {
        let host = Host::parse("api.eu.example.com").unwrap();
        assert_eq!(host.suffixes().collect::<Vec<_>>(), ["api.eu.example.com", "eu.example.com", "example.com", "com"]);
        assert_eq!(Host::parse("10.0.0.1").unwrap().suffixes().count(), 0);
    }

    #[test]
    fn a_host_keeps_its_grammar_through_json() {
        let host: Host = serde_json::from_str("\"API.example.com\"").unwrap();
        assert_eq!(serde_json::to_string(&host).unwrap(), "\"api.example.com\"");
        assert!(serde_json::from_str::<Host>("\"exa mple.com\"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_parses_prints_as_something_that_parses_to_the_same(text in "[a-zA-Z0-9.:\\[\\]%@_ -]{0,40}") {
            if let Ok(authority) = Authority::parse(&text, Some(443)) {
                proptest::prop_assert_eq!(Authority::parse(&authority.to_string(), None), Ok(authority.clone()));
                proptest::prop_assert_eq!(Host::parse(&authority.host.to_string()), Ok(authority.host));
            }
        }
    }
}
