//! Masks injected secrets where an upstream echoes them, while the answer streams.
//! Held back is only the longest suffix that is a prefix of a sought form; what is masked is never held back.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use reeve_domain::id::CredentialId;
use reeve_domain::sensitive::Secret;
use reeve_domain::sought::{Sought, State};
use zeroize::Zeroizing;

/// The secrets that were put into one request.
pub struct MaskSet {
    /// Each owner is the place of its marker, counted from one.
    sought: Sought<usize>,
    /// What stands in for a credential: `*reeve-masked:github*`. Of characters that need no escape in JSON strings,
    /// header values, URLs, event streams and HTML.
    markers: Vec<String>,
}

impl MaskSet {
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a CredentialId, &'a Secret)>) -> Self {
        let (ids, secrets): (Vec<_>, Vec<_>) = secrets.into_iter().unzip();
        let markers = ids.iter().map(|id| format!("*reeve-masked:{id}*")).collect();
        Self { sought: Sought::new((1..).zip(secrets)), markers }
    }

    /// A masker for one answer.
    #[must_use]
    pub fn stream(self: &Arc<Self>) -> Masker {
        Masker {
            set: Arc::clone(self),
            state: State::default(),
            held: Zeroizing::default(),
            marks: Vec::new(),
            last: UNMASKED,
            count: 0,
        }
    }
}

impl std::fmt::Debug for MaskSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.markers).finish()
    }
}

/// The sets of one session, one for each credential as it is now; wiped with the session.
#[derive(Debug, Default)]
pub struct Masks(Mutex<HashMap<CredentialId, (Secret, Arc<MaskSet>)>>);

impl Masks {
    /// The set for this secret. One that was replaced meanwhile is made anew.
    pub fn of(&self, credential: &CredentialId, secret: &Secret) -> Arc<MaskSet> {
        let mut known = self.0.lock();
        if let Some((held, set)) = known.get(credential)
            && held.expose() == secret.expose()
        {
            return Arc::clone(set);
        }
        let set = Arc::new(MaskSet::new([(credential, secret)]));
        known.insert(credential.clone(), (secret.clone(), Arc::clone(&set)));
        set
    }

    /// The sets of everything that was injected so far.
    pub fn all(&self) -> Vec<(CredentialId, Arc<MaskSet>)> {
        self.0.lock().iter().map(|(credential, (_, set))| (credential.clone(), Arc::clone(set))).collect()
    }
}

const UNMASKED: usize = 0;

/// Masks one answer: its status line and headers, its body chunk by chunk, and its trailers.
pub struct Masker {
    set: Arc<MaskSet>,
    state: State,
    /// The end of what was fed, still unsettled.
    held: Zeroizing<Vec<u8>>,
    /// For each held byte the number of the marker that stands in for it.
    marks: Vec<usize>,
    /// Mark of the byte released last, so that one run of masked bytes becomes one marker.
    last: usize,
    count: u64,
}

impl Masker {
    /// Masks a chunk. What comes out is what is settled by now: the same bytes in all, however the chunks were cut.
    pub fn feed(&mut self, chunk: &[u8]) -> Bytes {
        let before = self.held.len();
        let mut hits = Vec::new();
        self.state = self.set.sought.scan(self.state, chunk, |hit| {
            let end = before + hit.end;
            // A form may begin in bytes that were masked and released already.
            hits.push((end.saturating_sub(hit.length)..end, *hit.owner));
            ControlFlow::Continue(())
        });
        let pending = self.set.sought.pending(self.state);
        if before == 0 && hits.is_empty() {
            let (settled, held) = chunk.split_at(chunk.len() - pending.min(chunk.len()));
            self.held.extend(held);
            self.marks.resize(held.len(), UNMASKED);
            if !settled.is_empty() {
                self.last = UNMASKED;
            }
            return Bytes::copy_from_slice(settled);
        }
        let mut data = Zeroizing::new(Vec::with_capacity(before + chunk.len()));
        data.extend_from_slice(&self.held);
        data.extend_from_slice(chunk);
        let mut marks = std::mem::take(&mut self.marks);
        marks.resize(data.len(), UNMASKED);
        for (range, number) in hits {
            for mark in marks.get_mut(range).unwrap_or_default() {
                if *mark == UNMASKED {
                    *mark = number;
                }
            }
        }
        let mut settled = data.len() - pending.min(data.len());
        settled += marks.iter().skip(settled).take_while(|mark| **mark != UNMASKED).count();
        let out = self.release(data.get(..settled).unwrap_or_default(), marks.get(..settled).unwrap_or_default());
        self.marks = marks.split_off(settled);
        self.held = Zeroizing::new(data.split_off(settled));
        out
    }

    /// The rest, once the answer has ended.
    pub fn finish(&mut self) -> Bytes {
        let held = std::mem::take::<Zeroizing<Vec<u8>>>(&mut self.held);
        let marks = std::mem::take(&mut self.marks);
        let out = self.release(&held, &marks);
        (self.state, self.last) = (State::default(), UNMASKED);
        out
    }

    fn release(&mut self, bytes: &[u8], marks: &[usize]) -> Bytes {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        for run in marks.chunk_by(|a, b| a == b) {
            let (part, after) = rest.split_at_checked(run.len()).unwrap_or((rest, &[]));
            rest = after;
            let mark = run.first().copied().unwrap_or(UNMASKED);
            match mark.checked_sub(1).and_then(|index| self.set.markers.get(index)) {
                None => out.extend_from_slice(part),
                Some(_) if mark == self.last => {}
                Some(marker) => {
                    out.extend_from_slice(marker.as_bytes());
                    self.count += 1;
                }
            }
            self.last = mark;
        }
        out.into()
    }

    /// How often a secret was masked so far, headers included. Adjoining echoes of one credential count once.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Bytes held back now; never more than the longest sought form has.
    #[must_use]
    pub fn held_back(&self) -> usize {
        self.held.len()
    }

    /// Masks something that is known as a whole, apart from the body. `None`: there is nothing to mask.
    fn whole(&mut self, bytes: &[u8]) -> Option<Bytes> {
        self.set.sought.find(bytes)?;
        let mut apart = self.set.stream();
        let mut out = apart.feed(bytes).to_vec();
        out.extend_from_slice(&apart.finish());
        self.count += apart.count;
        Some(out.into())
    }

    /// Masks a header's value. `None`: there is nothing to mask.
    fn mask_header_value(&mut self, value: &HeaderValue) -> Option<HeaderValue> {
        // Masking takes bytes away and adds only the marker's, so the result is a valid value where the input was.
        self.whole(value.as_bytes()).and_then(|masked| HeaderValue::from_maybe_shared(masked).ok())
    }

    /// Masks the reason phrase of a status line. `None`: there is nothing to mask.
    pub fn mask_status(&mut self, reason: &[u8]) -> Option<Bytes> {
        self.whole(reason)
    }

    /// Masks all headers or trailers. One whose name holds a secret is dropped.
    pub fn mask_headers(&mut self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Some(masked) = self.mask_header_value(value) {
                *value = masked;
            }
        }
        let named = |name: &&http::HeaderName| self.set.sought.find(name.as_str().as_bytes()).is_some();
        let dropped: Vec<_> = headers.keys().filter(named).cloned().collect();
        for name in dropped {
            headers.remove(name);
            self.count += 1;
        }
    }
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masker").field("set", &self.set).field("count", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reeve_domain::sought::forms;

    const SECRET: &str = "sk-ant-api03-Zx/9+q_w";
    const MARKER: &str = "*reeve-masked:anthropic*";

    fn set_of(secrets: &[(&str, &str)]) -> Arc<MaskSet> {
        let secrets: Vec<_> =
            secrets.iter().map(|(id, s)| (CredentialId::parse(id).unwrap(), Secret::from((*s).to_owned()))).collect();
        Arc::new(MaskSet::new(secrets.iter().map(|(id, secret)| (id, secret))))
    }

    fn masker() -> Masker {
        set_of(&[("anthropic", SECRET)]).stream()
    }

    fn run(masker: &mut Masker, chunks: &[&[u8]]) -> String {
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&masker.feed(chunk));
        }
        out.extend_from_slice(&masker.finish());
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn a_set_is_made_once_for_each_secret_and_anew_when_it_is_replaced() {
        let masks = Masks::default();
        let id = CredentialId::parse("github").unwrap();
        let (old, new) = (Secret::from("first-secret".to_owned()), Secret::from("second-secret".to_owned()));
        let first = masks.of(&id, &old);
        assert!(Arc::ptr_eq(&first, &masks.of(&id, &old)));
        let second = masks.of(&id, &new);
        assert!(!Arc::ptr_eq(&first, &second));
        assert_eq!(run(&mut second.stream(), &[b"second-secret"]), "*reeve-masked:github*");
    }

    #[test]
    fn every_sought_form_is_replaced_and_the_rest_stays() {
        for form in forms(&Secret::from(SECRET.to_owned())) {
            let mut masker = masker();
            let text = [b"{\"echo\":\"", form.as_slice(), b"\"}"].concat();
            assert_eq!(run(&mut masker, &[&text]), format!("{{\"echo\":\"{MARKER}\"}}"));
            assert_eq!(masker.count(), 1);
        }
    }

    #[test]
    fn clean_text_comes_out_as_it_was_and_at_once() {
        let mut masker = masker();
        let event = b"event: content_block_delta\ndata: {\"text\":\"hello\"}\n\n";
        assert_eq!(masker.feed(event).as_ref(), event);
        assert_eq!((masker.held_back(), masker.count()), (0, 0));
    }

    #[test]
    fn only_a_prefix_of_a_form_is_held_back_and_a_whole_form_never() {
        let mut masker = masker();
        assert_eq!(masker.feed(b"key: sk-ant-").as_ref(), b"key: ");
        assert_eq!(masker.held_back(), 7);
        assert_eq!(masker.feed(b"icipation").as_ref(), b"sk-ant-icipation");
        assert_eq!(masker.feed(SECRET.as_bytes()).as_ref(), MARKER.as_bytes());
        assert_eq!(masker.held_back(), 0);
        assert_eq!(masker.feed(b"\n\n").as_ref(), b"\n\n");
        assert!(masker.finish().is_empty());
    }

    #[test]
    fn a_prefix_at_the_end_of_the_answer_is_given_out() {
        assert_eq!(run(&mut masker(), &[b"it began with sk-ant-"]), "it began with sk-ant-");
    }

    #[test]
    fn adjoining_echoes_become_one_marker_and_separate_ones_two() {
        let twice = format!("{SECRET}{SECRET} {SECRET}");
        let mut masker = masker();
        assert_eq!(run(&mut masker, &[twice.as_bytes()]), format!("{MARKER} {MARKER}"));
        assert_eq!(masker.count(), 2);
    }

    #[test]
    fn two_credentials_keep_their_names() {
        let mut masker = set_of(&[("a", "aaaa-secret-1"), ("b", "bbbb-secret-2")]).stream();
        let out = run(&mut masker, &[b"x aaaa-secret-1 y bbbb-sec", b"ret-2aaaa-secret-1"]);
        assert_eq!(out, "x *reeve-masked:a* y *reeve-masked:b**reeve-masked:a*");
        assert_eq!(masker.count(), 3);
    }

    #[test]
    fn basic_authorization_that_is_echoed_is_masked() {
        // Base64 of `user:` and the secret.
        let out = run(&mut masker(), &[b"you sent Basic dXNlcjpzay1hbnQtYXBpMDMtWngvOStxX3c= today"]);
        assert!(out.contains(MARKER) && !out.contains("YW50LWFwaTAz"), "{out}");
    }

    #[test]
    fn headers_trailers_and_status_are_masked() {
        let mut masker = masker();
        let mut headers = HeaderMap::new();
        headers.append("x-echo", HeaderValue::from_str(&format!("Bearer {SECRET}")).unwrap());
        headers.append("x-echo", HeaderValue::from_static("fine"));
        headers.append("location", HeaderValue::from_static("/next?k=sk-ant-api03-Zx%2F9%2Bq_w&x=1"));
        masker.mask_headers(&mut headers);
        let echoes: Vec<_> = headers.get_all("x-echo").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(echoes, [format!("Bearer {MARKER}").as_str(), "fine"]);
        assert_eq!(headers["location"], format!("/next?k={MARKER}&x=1"));
        assert_eq!(masker.mask_status(format!("Bad {SECRET}").as_bytes()).unwrap(), format!("Bad {MARKER}"));
        assert_eq!(masker.mask_status(b"Bad Request"), None);
        assert_eq!(masker.count(), 3);
    }

    #[test]
    fn a_header_whose_name_holds_a_secret_is_dropped() {
        let mut masker = set_of(&[("low", "lowercase-secret-1")]).stream();
        let mut headers = HeaderMap::new();
        headers.insert("x-lowercase-secret-1", HeaderValue::from_static("1"));
        masker.mask_headers(&mut headers);
        assert!(headers.is_empty());
        assert_eq!(masker.count(), 1);
    }

    /// Text that is thick with forms, pieces of forms and near misses.
    fn thick(secrets: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
        let all: Vec<Vec<u8>> =
            secrets.iter().flat_map(|s| forms(&Secret::from((*s).to_owned()))).map(|form| form.to_vec()).collect();
        let piece = (0..all.len(), 0_usize..40, 0_usize..200, any::<bool>(), "[a-c\"%\\\\]{0,3}").prop_map(
            move |(which, from, to, whole, between)| {
                let form = &all[which];
                let from = if whole { 0 } else { from.min(form.len()) };
                let to = if whole { form.len() } else { to.clamp(from, form.len()) };
                [&form[from..to], between.as_bytes()].concat()
            },
        );
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_and_no_form_comes_out(
            text in thick(&["abcabcabd/+", "cabcab-secret"]),
            cuts in proptest::collection::vec(0_usize..600, 0..20),
        ) {
            let set = set_of(&[("one", "abcabcabd/+"), ("two", "cabcab-secret")]);
            let whole = run(&mut set.stream(), &[&text]);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let mut masker = set.stream();
            let mut out = Vec::new();
            for pair in cuts.windows(2) {
                out.extend_from_slice(&masker.feed(&text[pair[0]..pair[1]]));
                prop_assert!(masker.held_back() <= set.sought.longest());
            }
            out.extend_from_slice(&masker.finish());
            prop_assert_eq!(String::from_utf8_lossy(&out), whole.as_str());
            for secret in ["abcabcabd/+", "cabcab-secret"] {
                for form in forms(&Secret::from(secret.to_owned())) {
                    prop_assert!(!whole.as_bytes().windows(form.len()).any(|window| window == form.as_slice()), "{}", whole);
                }
            }
        }
    }
}
