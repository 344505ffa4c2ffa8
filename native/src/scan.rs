//! All windows of a text against filters → hits → chains.
//!
//! A text is normalised and hashed once, whatever the number of filters; each block of keys is
//! asked of every filter while it is in the first-level cache. Memory beyond the text is the chains
//! found and one counter per residue of the stride.

use std::ops::Range;

use crate::chains::{Follower, LayerScan};
use crate::normalize::{Normalized, Normalizer, Scratch, is_char_start};
use crate::origins::{Forget, Origins, Recorder};
use crate::window::{Unit, Windows, document_key, window_key};
use crate::words::{for_words, join};

/// Windows asked at a time.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The windows' keys.
    pub keys: &'a [u64],
    /// Their bytes; empty unless some filter of the scan reads them.
    pub windows: &'a [&'a [u8]],
}

/// A set of windows that may answer yes by chance, never no by mistake.
pub trait Filter: Sync {
    /// For each window, whether the set holds it; `hits` has one place for each.
    fn ask(&self, batch: Batch, hits: &mut [bool]);

    /// Whether the set holds the document with this key; foreign sets know no documents.
    fn holds_document(&self, key: u64) -> bool;

    /// Whether `ask` reads the windows' bytes: it does where the set has a hash of its own.
    fn reads_windows(&self) -> bool {
        false
    }
}

/// How texts become windows.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Applied to every text first.
    pub normalizer: Normalizer,
    /// Cuts the normalised text.
    pub windows: Windows,
}

impl Spec {
    /// What `f` makes of a text after normalising, of what windows are cut from, and of the way back.
    ///
    /// Windows are cut from the same text, or, where words are counted and stand otherwise, from its
    /// words joined by single spaces.
    #[inline(always)]
    pub fn with_text<R: Recorder, T>(
        &self,
        text: &str,
        scratch: &mut Scratch,
        recorder: &mut R,
        f: impl FnOnce(Normalized, Normalized, &R) -> T,
    ) -> T {
        let mut words = std::mem::take(&mut scratch.words);
        let normalized = self.normalizer.apply(text, scratch, recorder);
        let result = if self.windows.unit == Unit::Word && !self.normalizer.joins_words() {
            f(normalized, join(normalized.text(), &mut words), recorder)
        } else {
            f(normalized, normalized, recorder)
        };
        scratch.words = words;
        result
    }
}

/// What all filters say of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// The normalised text's length in units.
    pub n_units: usize,
    /// Windows tested.
    pub n_windows: usize,
    /// One per filter.
    pub layers: Vec<LayerScan>,
}

/// Windows asked at a time.
const BATCH: usize = 1024;

/// Call `f` with batches of at most [`BATCH`] windows, which together are all windows of `text`.
fn for_batches(windows: &Windows, text: Normalized, filters: &[&dyn Filter], mut f: impl FnMut(Batch)) {
    let mut keys = [0; BATCH];
    let mut n = 0;
    if filters.iter().any(|filter| filter.reads_windows()) {
        let mut slices: [&[u8]; BATCH] = [&[]; BATCH];
        windows.all(text, |window| {
            keys[n] = window_key(window);
            slices[n] = window;
            n += 1;
            if n == BATCH {
                f(Batch { keys: &keys, windows: &slices });
                n = 0;
            }
        });
        f(Batch { keys: &keys[..n], windows: &slices[..n] });
    } else {
        windows.all(text, |window| {
            keys[n] = window_key(window);
            n += 1;
            if n == BATCH {
                f(Batch { keys: &keys, windows: &[] });
                n = 0;
            }
        });
        f(Batch { keys: &keys[..n], windows: &[] });
    }
}

/// Ask every window of `text` of every filter; each comes with its false-positive rate.
pub fn scan(text: &str, spec: &Spec, filters: &[(&dyn Filter, f64)], scratch: &mut Scratch) -> Scan {
    spec.with_text(text, scratch, &mut Origins::default(), |normalized, cut, origins| {
        let windows = &spec.windows;
        let n_units = windows.unit.count(cut);
        let n_windows = windows.n_windows(n_units);
        let mut layers = ask_all(windows, cut, n_windows, filters);

        let document = document_key(normalized.bytes);
        // A long list, where words are counted: made only where there is something to place.
        let found = layers.iter().any(|layer| !layer.chains.is_empty());
        let places = if found { Places::new(normalized, windows.unit) } else { Places::Chars };
        let span = |window: usize, n_windows: usize| {
            let end = window + (n_windows - 1) * windows.stride + windows.width;
            let chars = places.chars(window, end);
            origins.span(chars.start, chars.end)
        };
        for ((filter, _), layer) in filters.iter().zip(&mut layers) {
            layer.document &= filter.holds_document(document);
            for chain in &mut layer.chains {
                (chain.start, chain.end) = span(chain.window, chain.n_windows);
            }
            if let Some(stretch) = &mut layer.approximate {
                (stretch.start, stretch.end) = span(stretch.window, stretch.n_windows);
            }
        }
        Scan { n_units, n_windows, layers }
    })
}

/// What each filter says of the windows alone; the chains are without their places in the text.
fn ask_all(
    windows: &Windows,
    cut: Normalized,
    n_windows: usize,
    filters: &[(&dyn Filter, f64)],
) -> Vec<LayerScan> {
    let last = n_windows.saturating_sub(1);
    let mut followers: Vec<Follower> =
        filters.iter().map(|&(_, rate)| Follower::new(windows.stride, n_windows, rate)).collect();
    let filters: Vec<&dyn Filter> = filters.iter().map(|&(filter, _)| filter).collect();
    let mut hits = [false; BATCH];
    for_batches(windows, cut, &filters, |batch| {
        for (filter, follower) in filters.iter().zip(&mut followers) {
            let hits = &mut hits[..batch.keys.len()];
            filter.ask(batch, hits);
            follower.follow(batch.keys, hits, last);
        }
    });
    followers.into_iter().map(Follower::finish).collect()
}

/// For each filter, whether it holds each window of `text`.
pub fn hits(
    text: &str,
    spec: &Spec,
    filters: &[(&dyn Filter, f64)],
    scratch: &mut Scratch,
) -> Vec<Vec<bool>> {
    let filters: Vec<&dyn Filter> = filters.iter().map(|&(filter, _)| filter).collect();
    let mut all = vec![Vec::new(); filters.len()];
    spec.with_text(text, scratch, &mut Forget, |_, cut, _| {
        for_batches(&spec.windows, cut, &filters, |batch| {
            for (filter, all) in filters.iter().zip(&mut all) {
                let from = all.len();
                all.resize(from + batch.keys.len(), false);
                filter.ask(batch, &mut all[from..]);
            }
        });
    });
    all
}

/// From units of the normalised text to its characters.
enum Places<'a> {
    /// Every unit is a character.
    Chars,
    /// Characters that begin before each multiple of [`Places::STEP`] bytes.
    Bytes { text: &'a [u8], before: Vec<usize> },
    /// The characters of each word.
    Words(Vec<Range<usize>>),
}

impl<'a> Places<'a> {
    const STEP: usize = 1024;

    fn new(text: Normalized<'a>, unit: Unit) -> Self {
        match unit {
            Unit::Byte if text.n_chars != text.bytes.len() => {
                let mut n = 0;
                let before = text.bytes.chunks(Self::STEP).map(|step| {
                    let before = n;
                    n += crate::normalize::count_chars(step);
                    before
                });
                Self::Bytes { before: before.collect(), text: text.bytes }
            }
            Unit::Char | Unit::Byte => Self::Chars,
            Unit::Word => {
                let mut words = Vec::new();
                for_words(text.text(), |_, chars| words.push(chars));
                Self::Words(words)
            }
        }
    }

    /// The characters that the units `[start, end)` touch, as a range.
    fn chars(&self, start: usize, end: usize) -> Range<usize> {
        match self {
            Self::Chars => start..end,
            Self::Bytes { text, before } => {
                // The character that holds a byte.
                let holding = |at: usize| {
                    let step = at / Self::STEP;
                    let within = &text[step * Self::STEP..=at];
                    before[step] + within.iter().filter(|&&byte| is_char_start(byte)).count() - 1
                };
                holding(start)..holding(end - 1) + 1
            }
            Self::Words(words) => words[start].start..words[end - 1].end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::Chain;
    use proptest::prelude::*;
    use std::collections::HashSet;

    struct Set(HashSet<u64>);

    impl Filter for Set {
        fn ask(&self, batch: Batch, hits: &mut [bool]) {
            for (key, hit) in batch.keys.iter().zip(hits) {
                *hit = self.0.contains(key);
            }
        }

        fn holds_document(&self, key: u64) -> bool {
            self.0.contains(&key)
        }
    }

    fn spec(width: usize, stride: usize) -> Spec {
        Spec { normalizer: Normalizer::Spaces, windows: Windows { width, stride, unit: Unit::Char } }
    }

    fn portrait(documents: &[&str], spec: &Spec) -> Set {
        let mut keys = HashSet::new();
        let mut scratch = Scratch::default();
        for document in documents {
            let text = spec.normalizer.apply(document, &mut scratch, &mut Forget);
            spec.windows.stored(text, |window| {
                keys.insert(window_key(window));
            });
            keys.insert(document_key(text.bytes));
        }
        Set(keys)
    }

    #[test]
    fn a_copy_is_one_chain_at_its_place_in_the_text_as_given() {
        let spec = spec(4, 2);
        let set = portrait(&["abcdefgh"], &spec);
        let scan = scan("xx  abcdefgh\n\nyy", &spec, &[(&set, 0.01)], &mut Scratch::default());
        assert_eq!(scan.n_units, 14);
        assert_eq!(
            scan.layers[0].chains,
            [Chain { window: 3, n_windows: 3, n_distinct: 3, start: 4, end: 12 }]
        );
        assert!(!scan.layers[0].document);
    }

    #[test]
    fn the_document_itself_is_known_at_any_length() {
        let spec = spec(4, 2);
        let set = portrait(&["ab", "abcdefg", ""], &spec);
        for (text, expected) in
            [("ab", true), (" ab\n", true), ("abcdefg", true), ("abcdef", false), ("", true), ("b", false)]
        {
            let scan = scan(text, &spec, &[(&set, 0.01)], &mut Scratch::default());
            assert_eq!(scan.layers[0].document, expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn chains_are_the_maximal_runs_of_hits(
            document in "[ab]{0,60}", text in "[ab]{0,60}", width in 1usize..8, stride in 1usize..90,
        ) {
            let spec = spec(width, stride);
            let set = portrait(&[&document], &spec);
            let hits = hits(&text, &spec, &[(&set, 0.01)], &mut Scratch::default()).remove(0);
            let at = |i: Option<usize>| i.and_then(|i| hits.get(i)).copied().unwrap_or(false);
            let mut expected = Vec::new();
            for window in 0..hits.len() {
                if at(Some(window)) && !at(window.checked_sub(stride)) {
                    let n = (1..).find(|n| !at(Some(window + n * stride))).unwrap();
                    expected.push((window, n));
                }
            }
            let scan = scan(&text, &spec, &[(&set, 0.01)], &mut Scratch::default());
            let found: Vec<_> = scan.layers[0].chains.iter().map(|chain| (chain.window, chain.n_windows)).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(scan.layers[0].n_hits, hits.iter().filter(|hit| **hit).count());
        }
    }
}
