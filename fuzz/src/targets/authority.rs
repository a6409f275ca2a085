//! Hosts, authorities, patterns, request paths and address ranges.

use reeve_domain::address::{Ranges, special};
use reeve_domain::host::{Authority, Host, HostPattern};
use reeve_domain::path::RequestPath;

use super::{Target, behaviour, roughly, words};

pub(super) fn target() -> Target {
    let words = words(&[
        ":443",
        ":0",
        ".",
        "..",
        "xn--",
        "xn--bcher-kva",
        "*.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "127.0.0.1",
        "0x7f",
        "0177",
        "2130706433",
        "@",
        "%2e",
        "%2f",
        "/@scope%2fname",
        "%00",
        "%25",
        "//",
        "/../",
        "/./",
        ";",
        "\\",
        "/v1/messages",
        "\u{2a74}",
        "\u{3002}",
        "example.com",
        "localhost",
        "10.0.0.0/8",
        "fd00::/8",
        "169.254.169.254",
        ",",
        "a-b",
        "-",
    ]);
    Target { name: "authority", seeds: Vec::new(), words, longest: 600, run: Box::new(run) }
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let mut seen = String::new();
    match Authority::parse(&text, Some(443)) {
        Ok(authority) => {
            assert_eq!(
                Authority::parse(&authority.to_string(), None).as_ref(),
                Ok(&authority),
                "prints as another authority"
            );
            check_host(&authority.host);
            let name = authority.host.name().unwrap_or_default();
            seen.push_str(&format!("{} {}", roughly(name.len()), roughly(name.split('.').count())));
        }
        Err(error) => seen.push_str(&format!("{:?}", error.rule())),
    }
    match Host::parse(&text) {
        Ok(host) => check_host(&host),
        Err(error) => seen.push_str(&format!(" {:?}", error.rule())),
    }
    match HostPattern::parse(&text) {
        Ok(pattern) => {
            assert_eq!(HostPattern::parse(&pattern.to_string()).as_ref(), Ok(&pattern), "prints as another pattern");
            seen.push_str(" pattern");
        }
        Err(error) => seen.push_str(&format!(" {:?}", error.rule())),
    }
    match RequestPath::parse(&text) {
        Ok(path) => {
            check_path(&path);
            seen.push_str(&format!(" {} {}", roughly(path.as_str().len()), roughly(path.segments().count())));
        }
        Err(error) => seen.push_str(&format!(" {:?}", error.rule())),
    }
    match Ranges::parse(&text) {
        Ok(ranges) => assert_eq!(Ranges::parse(&ranges.to_string()).as_ref(), Ok(&ranges), "prints as other ranges"),
        Err(error) => seen.push_str(&format!(" {:.9}", format!("{error:?}"))),
    }
    behaviour(&seen)
}

fn check_host(host: &Host) {
    let text = host.to_string();
    assert_eq!(Host::parse(&text).as_ref(), Ok(host), "prints as another host");
    let url = url::Host::parse(if text.contains(':') { format!("[{text}]") } else { text.clone() }.as_str());
    match (host, url) {
        (Host::Name(name), Ok(url::Host::Domain(theirs))) => {
            assert_eq!(*name, theirs, "the URL parser reads another name");
            assert!(
                name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len())),
                "a label of odd length"
            );
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
            assert!(name.bytes().all(plain), "an odd character in a name");
        }
        (Host::Ip(ip), Ok(url::Host::Ipv4(theirs))) => assert_eq!(*ip, theirs, "the URL parser reads another address"),
        (Host::Ip(ip), Ok(url::Host::Ipv6(theirs))) => assert_eq!(*ip, theirs, "the URL parser reads another address"),
        (_, url) => unreachable!("the URL parser reads {url:?}"),
    }
    if let Some(std::net::IpAddr::V4(ip)) = host.ip() {
        assert!(special(ip.to_ipv6_mapped().into()).is_some(), "a mapped address is ordinary");
    }
}

fn check_path(path: &RequestPath) {
    let text = path.as_str();
    assert_eq!(RequestPath::parse(text).as_ref(), Ok(path), "a canonical path changes");
    assert!(text.starts_with('/') && text.is_ascii(), "an odd path");
    let lower = text.to_ascii_lowercase();
    if let Some((scope, name)) = lower.split_once("%2f") {
        let scope = scope.rsplit('/').next().unwrap_or_default();
        assert!(scope.len() > 1 && scope.starts_with('@'), "an escaped separator without a scope before it");
        let name = name.split('/').next().unwrap_or_default();
        assert!(
            !matches!(name, "" | "." | "..") && !name.contains("%2f"),
            "an escaped separator without a name after it"
        );
    }
    let lower = lower.replacen("%2f", "", 1);
    for bad in ["//", "\\", ";", "?", "#", "%2e", "%2f", "%5c", "%25", "%00", "%3b", "/../", "/./", " "] {
        assert!(!lower.contains(bad), "`{bad}` in a path");
    }
    assert!(!lower.ends_with("/..") && !lower.ends_with("/."), "a dot segment at the end");
    let judged = path.judged();
    assert!(path.starts_with_segments(&judged), "a path is not under itself");
}
