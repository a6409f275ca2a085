//! Aho and Corasick's automaton over the forms of secrets, with a skip table in front of it for the long stretches of
//! bytes that hold nothing. All tables are wiped when dropped.

use std::ops::ControlFlow;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::forms;
use crate::sensitive::Secret;

const ROOT: u32 = 0;
/// Entries of the skip table; a power of two.
const SKIPS: usize = 8192;
/// Longest stretch of a form's beginning that the skip table looks at.
const LOOK_AHEAD: usize = 64;

/// A node of the trie. Index 0 is the root, and as a link also means "none".
#[derive(Clone, Default, Zeroize)]
struct Node {
    byte: u8,
    child: u32,
    sibling: u32,
    /// Longest proper suffix of this node's text that is a node too.
    fail: u32,
    depth: u32,
    /// This node, or the nearest along the fail links, where a form ends.
    output: u32,
    /// Index of the owner plus one, where a form ends here.
    owner: u32,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct Tables {
    nodes: Vec<Node>,
    root: Vec<u32>,
    skips: Vec<u8>,
    /// Bytes the skip table looks at: the shortest form's length, at most `LOOK_AHEAD`.
    window: usize,
    longest: usize,
}

/// Finds the forms of many secrets in one pass over a stream, each with its owner.
pub struct Sought<T> {
    tables: Tables,
    owners: Vec<T>,
}

/// Where a scan stands between two chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State(u32);

/// One form found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit<'a, T> {
    pub owner: &'a T,
    /// Where it ends in the chunk. It may have begun before the chunk.
    pub end: usize,
    pub length: usize,
}

impl<T> Sought<T> {
    /// Where two owners share a form, the first one given is named.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = (T, &'a Secret)>) -> Self {
        let mut owners = Vec::new();
        let mut all = Vec::new();
        for (owner, secret) in secrets {
            owners.push(owner);
            let number = u32::try_from(owners.len()).unwrap_or(u32::MAX);
            all.extend(forms(secret).into_iter().map(|form| (number, form)));
        }
        let bytes = all.iter().map(|(_, form)| form.len()).sum::<usize>();
        let shortest = all.iter().map(|(_, form)| form.len()).min().unwrap_or(0);
        let mut tables = Tables {
            // All the room at once: growing would leave copies behind.
            nodes: Vec::with_capacity(bytes + 1),
            root: vec![ROOT; 256],
            skips: Vec::new(),
            window: shortest.min(LOOK_AHEAD),
            longest: all.iter().map(|(_, form)| form.len()).max().unwrap_or(0),
        };
        tables.nodes.push(Node::default());
        for (owner, form) in &all {
            tables.insert(form, *owner);
        }
        tables.link();
        tables.fill_skips(all.iter().map(|(_, form)| form.as_slice()));
        Self { tables, owners }
    }

    /// Whether nothing is sought: no secrets, or all of them too short.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.longest == 0
    }

    /// Length of the longest form in bytes: the most that a stream holds back.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.tables.longest
    }

    /// How many of the bytes scanned last may begin a form that is not complete: the longest suffix that is a prefix of
    /// a form.
    #[must_use]
    pub fn pending(&self, state: State) -> usize {
        self.tables.node(state.0).map_or(0, |node| usize::try_from(node.depth).unwrap_or_default())
    }

    /// Scans one chunk and reports every form that ends in it, in the order of their ends and the longest first, until
    /// told to break.
    pub fn scan(&self, from: State, chunk: &[u8], mut report: impl FnMut(Hit<'_, T>) -> ControlFlow<()>) -> State {
        let tables = &self.tables;
        let mut state = from.0;
        let mut at = 0;
        if self.is_empty() {
            return from;
        }
        loop {
            if state == ROOT {
                at = tables.skip(chunk, at);
            }
            let Some(&byte) = chunk.get(at) else { return State(state) };
            state = tables.step(state, byte);
            at += 1;
            let mut output = tables.node(state).map_or(ROOT, |node| node.output);
            while output != ROOT {
                let Some(node) = tables.node(output) else { break };
                let owner = usize::try_from(node.owner).ok().and_then(|n| self.owners.get(n.checked_sub(1)?));
                if let Some(owner) = owner {
                    let hit = Hit { owner, end: at, length: usize::try_from(node.depth).unwrap_or_default() };
                    if report(hit).is_break() {
                        return State(state);
                    }
                }
                output = tables.node(node.fail).map_or(ROOT, |next| next.output);
            }
        }
    }

    /// The owner of the first form that ends in these bytes.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<&T> {
        let mut found = None;
        self.scan(State::default(), bytes, |hit| {
            found = self.owners.iter().find(|owner| std::ptr::eq(*owner, hit.owner));
            ControlFlow::Break(())
        });
        found
    }
}

impl Tables {
    fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(at).ok()?)
    }

    fn node_mut(&mut self, at: u32) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(at).ok()?)
    }

    fn child(&self, of: u32, byte: u8) -> Option<u32> {
        if of == ROOT {
            return self.root.get(usize::from(byte)).copied().filter(|child| *child != ROOT);
        }
        let mut at = self.node(of)?.child;
        while at != ROOT {
            let node = self.node(at)?;
            if node.byte == byte {
                return Some(at);
            }
            at = node.sibling;
        }
        None
    }

    fn step(&self, mut state: u32, byte: u8) -> u32 {
        loop {
            if let Some(child) = self.child(state, byte) {
                return child;
            }
            if state == ROOT {
                return ROOT;
            }
            state = self.node(state).map_or(ROOT, |node| node.fail);
        }
    }

    fn insert(&mut self, form: &[u8], owner: u32) {
        let mut at = ROOT;
        for (depth, &byte) in (1..).zip(form) {
            at = match self.child(at, byte) {
                Some(child) => child,
                None => {
                    let Ok(new) = u32::try_from(self.nodes.len()) else { return };
                    let sibling = self.node(at).map_or(ROOT, |node| node.child);
                    self.nodes.push(Node { byte, sibling, depth, ..Node::default() });
                    if let Some(parent) = self.node_mut(at) {
                        parent.child = new;
                    }
                    if at == ROOT
                        && let Some(slot) = self.root.get_mut(usize::from(byte))
                    {
                        *slot = new;
                    }
                    new
                }
            };
        }
        if let Some(node) = self.node_mut(at)
            && node.owner == 0
        {
            node.owner = owner;
        }
    }

    /// Sets fail and output links, breadth first, so that shorter texts are finished before longer ones.
    fn link(&mut self) {
        let mut queue = std::collections::VecDeque::from([ROOT]);
        while let Some(parent) = queue.pop_front() {
            let mut at = self.node(parent).map_or(ROOT, |node| node.child);
            while at != ROOT {
                let Some(node) = self.node(at).cloned().map(Zeroizing::new) else { break };
                let above = self.node(parent).map_or(ROOT, |node| node.fail);
                let fail = if parent == ROOT { ROOT } else { self.step(above, node.byte) };
                let output = if node.owner != 0 { at } else { self.node(fail).map_or(ROOT, |node| node.output) };
                if let Some(linked) = self.node_mut(at) {
                    linked.fail = fail;
                    linked.output = output;
                }
                queue.push_back(at);
                at = node.sibling;
            }
        }
    }

    /// The table of Wu and Manber: for each pair of bytes how far the window may move when the pair is at its end.
    fn fill_skips<'a>(&mut self, forms: impl Iterator<Item = &'a [u8]>) {
        let Some(farthest) = self.window.checked_sub(1) else { return };
        self.skips = vec![u8::try_from(farthest).unwrap_or_default(); SKIPS];
        for form in forms {
            for (at, pair) in form.windows(2).take(farthest).enumerate() {
                let distance = u8::try_from(farthest - 1 - at).unwrap_or_default();
                if let [a, b] = *pair
                    && let Some(skip) = self.skips.get_mut(slot(a, b))
                {
                    *skip = distance.min(*skip);
                }
            }
        }
    }

    /// The first place at or after `at` where a form may begin.
    fn skip(&self, chunk: &[u8], mut at: usize) -> usize {
        while let Some(&[a, b]) = chunk.get(at + self.window - 2..at + self.window) {
            match self.skips.get(slot(a, b)) {
                Some(0) | None => {
                    if chunk.get(at).is_some_and(|byte| self.child(ROOT, *byte).is_some()) {
                        return at;
                    }
                    at += 1;
                }
                Some(distance) => at += usize::from(*distance),
            }
        }
        at.min(chunk.len())
    }
}

fn slot(a: u8, b: u8) -> usize {
    (usize::from(a) << 5 ^ usize::from(b)) % SKIPS
}

impl<T> std::fmt::Debug for Sought<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sought(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(sought: &Sought<usize>, chunks: &[&[u8]]) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        let (mut state, mut base) = (State::default(), 0);
        for chunk in chunks {
            state = sought.scan(state, chunk, |hit| {
                found.push((*hit.owner, base + hit.end, hit.length));
                ControlFlow::Continue(())
            });
            base += chunk.len();
        }
        found
    }

    #[test]
    fn forms_are_found_over_chunk_borders_with_their_owner() {
        let (a, b) = (Secret::from("ghp_abcdefgh".to_owned()), Secret::from("sk-ant-12345678".to_owned()));
        let sought = Sought::new([(0, &a), (1, &b)]);
        let text = b"x ghp_abcdefgh y sk-ant-12345678 6768705f6162636465666768";
        let whole = ends(&sought, &[text]);
        assert_eq!(whole, [(0, 14, 12), (1, 32, 15), (0, 57, 24)]);
        for cut in 0..text.len() {
            assert_eq!(ends(&sought, &[&text[..cut], &text[cut..]]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(ends(&sought, &bytes), whole);
    }

    #[test]
    fn the_pending_bytes_are_the_longest_suffix_that_begins_a_form() {
        let secret = Secret::from("abcabcabd".to_owned());
        let sought = Sought::new([((), &secret)]);
        for (text, pending) in [("", 0), ("xyz ", 0), ("xa", 1), ("abcabc", 6), ("abcabcabc", 6), ("abcabca!", 0)] {
            let state = sought.scan(State::default(), text.as_bytes(), |_| ControlFlow::Continue(()));
            assert_eq!(sought.pending(state), pending, "{text}");
        }
    }

    #[test]
    fn nothing_sought_finds_nothing() {
        let none = Sought::<()>::new([]);
        assert!(none.is_empty() && none.find(b"anything at all").is_none());
        let short = Secret::from("abc".to_owned());
        assert!(Sought::new([((), &short)]).is_empty());
    }

    #[test]
    fn a_form_that_two_owners_share_belongs_to_the_first() {
        let secret = Secret::from("the-same-secret".to_owned());
        let sought = Sought::new([("first", &secret), ("second", &secret)]);
        assert_eq!(sought.find(b"...the-same-secret..."), Some(&"first"));
    }

    proptest::proptest! {
        #[test]
        fn the_automaton_finds_what_a_naive_search_finds(
            secrets in proptest::collection::vec("[ab+/]{6,9}", 1..3),
            text in "[ab+/%2FB\\\\]{0,200}",
            planted in 0_usize..200,
            cut in 0_usize..200,
        ) {
            let secrets: Vec<Secret> = secrets.into_iter().map(Secret::from).collect();
            let sought = Sought::new(secrets.iter().enumerate());
            let mut text = text.into_bytes();
            let at = planted.min(text.len());
            text.splice(at..at, secrets[0].expose().iter().copied());
            let mut naive = std::collections::BTreeSet::new();
            for secret in &secrets {
                for form in forms(secret) {
                    for (start, window) in text.windows(form.len()).enumerate() {
                        if window == form.as_slice() {
                            naive.insert((start + form.len(), form.len()));
                        }
                    }
                }
            }
            let cut = cut.min(text.len());
            let (left, right) = text.split_at(cut);
            let found: std::collections::BTreeSet<_> = ends(&sought, &[left, right]).into_iter().map(|(_, e, l)| (e, l)).collect();
            proptest::prop_assert_eq!(found, naive);
        }
    }
}
