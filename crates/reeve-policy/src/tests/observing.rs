//! Rules that only observe: they decide nothing and say what they would have had a say in.

use reeve_domain::verdict::Decision;

use super::*;

const NO_DOCS: &str =
    "@id(\"no-docs\") @reason(\"not today\") forbid (principal, action, resource == Host::\"docs.acme.example\");";

fn observing(rule: &str) -> String {
    format!("@mode(\"observe\") {rule}")
}

fn judge(text: &str) -> Verdict {
    let source = Source { layer: Layer::Mine, file: "mine.cedar".to_owned(), text: text.to_owned() };
    let set = PolicySet::load(Preset::Balanced, &[source], &[]).unwrap();
    set.evaluate(&http("GET", "docs.acme.example", "/"), &known())
}

#[test]
fn a_rule_that_observes_changes_no_verdict_and_is_named() {
    assert_eq!(judge(NO_DOCS).decision(), Decision::Deny);
    let verdict = judge(&observing(NO_DOCS));
    assert_eq!(verdict.decision(), Decision::Allow);
    assert_eq!(verdict.observed().iter().map(|r| r.rule.as_str()).collect::<Vec<_>>(), ["no-docs"]);
    let permit = "@id(\"all\") @reason(\"any\") permit (principal, action, resource);";
    let both = judge(&format!("{}\n{}", observing(NO_DOCS), observing(permit)));
    assert_eq!(both.observed().iter().map(|r| r.rule.as_str()).collect::<Vec<_>>(), ["no-docs", "all"]);
}

#[test]
fn a_rule_that_does_not_match_observed_nothing_and_old_verdicts_read_back() {
    let verdict = judge(&observing(&NO_DOCS.replace("docs.", "other.")));
    assert_eq!(verdict.observed(), []);
    let text = serde_json::to_string(&verdict).unwrap();
    assert!(!text.contains("observed"), "{text}");
    assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
}

#[test]
fn the_mode_of_a_rule_is_one_of_two_words() {
    let text = format!("@mode(\"sometimes\") {NO_DOCS}");
    let source = Source { layer: Layer::Mine, file: "mine.cedar".to_owned(), text };
    let error = PolicySet::load(Preset::Balanced, &[source], &[]).unwrap_err().to_string();
    assert!(error.contains("neither `observe` nor `enforce`"), "{error}");
}
