//! Masking: the same in any pieces, no sought form comes out, and what holds none comes out as it was.

use std::sync::Arc;

use reeve_domain::id::CredentialId;
use reeve_domain::sensitive::Secret;
use reeve_domain::sought::forms;
use reeve_proxy::mask::{MaskSet, Masker};

use super::{Target, behaviour, roughly};
use crate::random::pieces;

/// Secrets that overlap themselves and each other, and one of characters that every encoding changes.
const SECRETS: [(&str, &str); 3] =
    [("anthropic", "sk-ant-api03-Zx/9+q_w"), ("self", "abcabcabd/+"), ("odd", "a\"b\\c <d>&é/+=abcabc")];

pub(super) fn target() -> Target {
    let named: Vec<(CredentialId, Secret)> = SECRETS
        .iter()
        .filter_map(|(id, secret)| Some((CredentialId::parse(id).ok()?, Secret::from((*secret).to_owned()))))
        .collect();
    let set = Arc::new(MaskSet::new(named.iter().map(|(id, secret)| (id, secret))));
    let words: Vec<Vec<u8>> = named.iter().flat_map(|(_, secret)| forms(secret)).map(|form| form.to_vec()).collect();
    let seeds = words.iter().map(|form| [b"{\"echo\":\"", form.as_slice(), b"\"}\n\n"].concat()).collect();
    let sought = words.clone();
    let run = move |input: &[u8]| run(&set, &sought, input);
    Target { name: "mask", seeds, words, longest: 1500, run: Box::new(run) }
}

fn mask<'a>(masker: &mut Masker, input: impl IntoIterator<Item = &'a [u8]>, longest: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in input {
        out.extend_from_slice(&masker.feed(piece));
        assert!(masker.held_back() < longest, "{} bytes are held back", masker.held_back());
    }
    out.extend_from_slice(&masker.finish());
    out
}

fn run(set: &Arc<MaskSet>, sought: &[Vec<u8>], input: &[u8]) -> u64 {
    let longest = sought.iter().map(Vec::len).max().unwrap_or_default();
    let mut masker = set.stream();
    let whole = mask(&mut masker, [input], longest);
    let mut in_pieces = set.stream();
    assert_eq!(mask(&mut in_pieces, pieces(input), longest), whole, "pieces are masked otherwise");
    assert_eq!(in_pieces.count(), masker.count(), "pieces are counted otherwise");
    let holds = |text: &[u8]| sought.iter().any(|form| memchr::memmem::find(text, form).is_some());
    assert!(!holds(&whole), "a sought form came out");
    if masker.count() == 0 {
        assert!(whole == input && !holds(input), "clean text was changed");
    }
    behaviour(&format!("{} {} {}", masker.count().min(12), roughly(whole.len()), whole.len() < input.len()))
}
