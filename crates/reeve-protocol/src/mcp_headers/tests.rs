//! Headers of MCP against bodies, both ways.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn call(arguments: Value) -> Value {
    json!({ "id": 1, "method": "tools/call", "params": { "name": "deploy", "arguments": arguments } })
}

fn schema() -> Value {
    json!({ "type": "object", "properties": {
        "region": { "type": "string", "x-mcp-header": "Region" },
        "count": { "type": "integer", "x-mcp-header": "Count" },
        "dry": { "type": "boolean", "x-mcp-header": "Dry" },
        "place": { "type": "object", "properties": { "zone": { "type": "string", "x-mcp-header": "Zone" } } },
        "free": { "type": "string" },
    } })
}

#[test]
fn headers_that_contradict_the_body_are_told_apart_from_those_that_agree() {
    let message = json!({ "id": 1, "method": "tools/call", "params": { "name": "ü" } });
    let with = |fields: &[(&str, &str)]| agree(&headers(fields), &message, None);
    assert_eq!(with(&[]), Ok(()));
    assert_eq!(with(&[(METHOD, "tools/call"), (NAME, "=?base64?w7w=?=")]), Ok(()));
    assert_eq!(with(&[(METHOD, "tools/list")]), Err(Mismatch::Differs(METHOD.to_owned())));
    assert_eq!(with(&[(NAME, "other")]), Err(Mismatch::Differs(NAME.to_owned())));
    assert_eq!(with(&[(NAME, "=?base64?%%?=")]), Err(Mismatch::Unreadable(NAME.to_owned())));
    assert_eq!(with(&[(NAME, "ü")]), Err(Mismatch::Unreadable(NAME.to_owned())));
    let twice = [(METHOD, "tools/call"), (METHOD, "tools/call")];
    assert_eq!(with(&twice), Err(Mismatch::Twice(METHOD.to_owned())));
    let list = json!({ "id": 1, "method": "tools/list" });
    assert!(agree(&headers(&[(NAME, "x")]), &list, None).is_err());
    let answer = json!({ "id": 1, "result": {} });
    assert!(agree(&headers(&[(METHOD, "tools/call")]), &answer, None).is_err());
    let task = json!({ "id": 1, "method": "tasks/get", "params": { "taskId": "t", "name": "x" } });
    assert_eq!(agree(&headers(&[(METHOD, "tasks/get"), (NAME, "t")]), &task, None), Ok(()));
    assert!(agree(&headers(&[(NAME, "x")]), &task, None).is_err());
    let vendor = json!({ "id": 1, "method": "acme/do", "params": { "uri": "u" } });
    assert_eq!(agree(&headers(&[(NAME, "u")]), &vendor, None), Ok(()));
}

#[test]
fn a_version_that_the_message_names_by_itself_is_that_of_its_header() {
    let message = json!({ "id": 1, "method": "ping", "params": { "_meta": { VERSION_KEY: SINCE } } });
    assert_eq!(agree(&headers(&[(VERSION, SINCE)]), &message, None), Ok(()));
    let other = agree(&headers(&[(VERSION, "2025-11-25")]), &message, None);
    assert_eq!(other, Err(Mismatch::Differs(VERSION.to_owned())));
}

#[test]
fn arguments_are_held_against_their_headers_in_any_spelling_of_a_number() {
    let schema = schema();
    let arguments = json!({ "region": "eu ", "count": 42, "dry": true, "place": { "zone": "b" }, "free": "x" });
    let message = call(arguments);
    let with = |name: &str, value: &str| agree(&headers(&[(name, value)]), &message, Some(&schema)).is_ok();
    for (name, value) in [
        ("Mcp-Param-Region", "=?base64?ZXUg?="),
        ("mcp-param-count", "42"),
        ("mcp-param-count", "42.0"),
        ("mcp-param-dry", "true"),
        ("mcp-param-zone", "b"),
        // Nobody here knows what it is about: it passes.
        ("mcp-param-other", "x"),
    ] {
        assert!(with(name, value), "{name}: {value}");
    }
    for (name, value) in [
        ("mcp-param-region", "us"),
        ("mcp-param-region", "=?base64?eu?"),
        ("mcp-param-count", "43"),
        ("mcp-param-count", "042"),
        ("mcp-param-count", "+42"),
        ("mcp-param-dry", "True"),
        ("mcp-param-zone", ""),
    ] {
        assert!(!with(name, value), "{name}: {value}");
    }
    for nothing in [json!({}), json!({ "region": null }), json!({ "region": ["eu"] })] {
        let message = call(nothing);
        assert!(agree(&headers(&[("mcp-param-region", "eu")]), &message, Some(&schema)).is_err(), "{message}");
    }
}

#[test]
fn what_the_version_wants_is_missed_and_nothing_else() {
    let schema = schema();
    let message = call(json!({ "region": "eu", "count": null }));
    let whole = [(VERSION, SINCE), (METHOD, "tools/call"), (NAME, "deploy"), ("mcp-param-region", "eu")];
    assert_eq!(complete(&headers(&whole), &message, Some(&schema)), Ok(()));
    for (missing, _) in whole.into_iter().skip(1) {
        let rest: Vec<_> = whole.into_iter().filter(|(name, _)| *name != missing).collect();
        let missed = complete(&headers(&rest), &message, Some(&schema));
        assert_eq!(missed, Err(Mismatch::Missing(missing.to_owned())));
    }
    assert_eq!(complete(&headers(&[(VERSION, "2025-11-25")]), &message, Some(&schema)), Ok(()));
    let note = json!({ "method": "notifications/cancelled" });
    assert_eq!(complete(&headers(&[(VERSION, SINCE)]), &note, None), Ok(()));
    let greeting = json!({ "id": 1, "method": "initialize" });
    assert_eq!(complete(&headers(&[(VERSION, SINCE)]), &greeting, None), Ok(()));
}

#[test]
fn what_is_written_is_what_is_wanted_and_agrees() {
    let schema = schema();
    for arguments in [
        json!({ "region": "eu", "count": 7, "dry": false, "place": { "zone": " z " } }),
        json!({ "region": "=?base64?x?=", "count": 42.0, "place": {} }),
        json!({ "region": "grün\n", "count": 1.5, "dry": null }),
        json!({}),
    ] {
        let message = call(arguments);
        let mut written = headers(&[(VERSION, SINCE)]);
        write(&mut written, "tools/call", &message["params"], Some(&schema));
        assert_eq!(complete(&written, &message, Some(&schema)), Ok(()), "{message}: {written:?}");
        let given = message["params"]["arguments"].as_object().unwrap().values();
        let plain = given.filter(|value| !value.is_null() && **value != json!({})).count();
        assert_eq!(written.len(), 3 + plain, "{message}: {written:?}");
    }
}

#[test]
fn older_versions_get_no_headers_and_those_that_are_there_are_mended() {
    let schema = schema();
    let message = call(json!({ "region": "marked", "count": 1 }));
    let mut none = headers(&[(VERSION, "2025-11-25")]);
    write(&mut none, "tools/call", &message["params"], Some(&schema));
    assert_eq!(none, headers(&[(VERSION, "2025-11-25")]));
    let mut mended = headers(&[(NAME, "old"), ("mcp-param-region", "eu"), ("mcp-param-dry", "true"), ("x", "y")]);
    write(&mut mended, "tools/call", &message["params"], Some(&schema));
    assert_eq!(mended, headers(&[(NAME, "deploy"), ("mcp-param-region", "marked"), ("x", "y")]));
    assert!(says_more(&headers(&[("mcp-param-other", "x")]), Some(&schema)) && !says_more(&mended, Some(&schema)));
    strip_parameters(&mut mended);
    assert_eq!(mended, headers(&[(NAME, "deploy"), ("x", "y")]));
    strip_all(&mut mended);
    assert!(!are_there(&mended) && mended.len() == 1);
}

#[test]
fn a_definition_that_breaks_the_rules_makes_nobody_send_headers() {
    let property = |annotated: Value| json!({ "properties": { "a": annotated } });
    let name = json!({ "type": "string", "x-mcp-header": "A" });
    for bad in [
        property(json!({ "type": "number", "x-mcp-header": "A" })),
        property(json!({ "type": "string", "x-mcp-header": "a b" })),
        property(json!({ "type": "string", "x-mcp-header": "" })),
        property(json!({ "type": "string", "x-mcp-header": 7 })),
        property(json!({ "type": "array", "items": name })),
        property(json!({ "oneOf": [name] })),
        json!({ "properties": { "a": name, "b": { "type": "string", "x-mcp-header": "a" } } }),
        json!({ "$defs": { "d": name }, "properties": {} }),
        json!({ "x-mcp-header": "A", "properties": { "a": name } }),
    ] {
        assert!(!is_sound(Some(&bad)), "{bad}");
        let mut written = headers(&[(VERSION, SINCE)]);
        write(&mut written, "tools/call", &json!({ "name": "x", "arguments": { "a": "1", "b": "2" } }), Some(&bad));
        assert!(!written.contains_key("mcp-param-a"), "{bad}");
    }
    for good in [
        property(name.clone()),
        property(json!({ "type": "string", "default": { "x-mcp-header": "no schema" } })),
        json!({ "properties": { "x-mcp-header": name } }),
        json!({}),
    ] {
        assert!(is_sound(Some(&good)), "{good}");
    }
}

#[test]
fn what_cannot_stand_in_a_header_as_it_is_comes_coded() {
    assert_eq!((coded("echo").as_str(), coded("ü").as_str()), ("echo", "=?base64?w7w=?="));
    for text in ["", "a b", " a", "line\nbreak", "=?base64?x?=", "=?base64?", "世界"] {
        let code = coded(text);
        assert!(HeaderValue::from_str(&code).is_ok(), "{code}");
        assert_eq!(decoded(&code).as_deref(), Some(text));
    }
}

proptest! {
    #[test]
    fn whatever_is_written_agrees(
        region in ".{0,40}",
        zone in "[ -~\\t\\nü世]{0,20}",
        count in any::<i64>(),
        dry in any::<bool>(),
    ) {
        let schema = schema();
        let message = call(json!({ "region": region, "count": count, "dry": dry, "place": { "zone": zone } }));
        let mut written = headers(&[(VERSION, SINCE)]);
        write(&mut written, "tools/call", &message["params"], Some(&schema));
        prop_assert_eq!(complete(&written, &message, Some(&schema)), Ok(()));
    }

    #[test]
    fn no_header_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let mut odd = HeaderMap::new();
            for name in ["mcp-param-region", "mcp-param-count", NAME] {
                odd.insert(name, value.clone());
            }
            let _ = agree(&odd, &call(json!({ "region": "eu", "count": 1 })), Some(&schema()));
        }
    }
}
