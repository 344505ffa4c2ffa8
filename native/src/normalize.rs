//! Text → normalised text, with the way back to the original offsets.
//!
//! ASCII runs eight bytes at a time: white space is found, folded and closed up with arithmetic on
//! whole words. Other characters are looked up in a table (`build.rs`); only those that NFC can
//! change, or that can change their neighbours, leave the copying loop.

use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};

use crate::data_portraits::data_portraits;
use crate::origins::Recorder;

include!(concat!(env!("OUT_DIR"), "/classes.rs"));

/// NFC leaves the character alone, whatever surrounds it.
const INERT: u8 = 0;
/// White_Space.
const SPACE: u8 = 1;
/// A combining mark that never composes but has to stand in canonical order.
const MARK: u8 = 2;
// 3: a character that NFC may replace or compose with the one before it.

/// The Unicode version the normalisers follow.
pub const UNICODE_VERSION: (u8, u8, u8) = unicode_normalization::UNICODE_VERSION;

#[inline(always)]
fn class(c: char) -> u8 {
    let code = c as usize;
    CLASS_PAGES[CLASS_INDEX[code >> 8] as usize][code & 0xFF]
}

/// A named map from text to text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalizer {
    /// The identity.
    None,
    /// NFC, every run of White_Space becomes one U+0020, ends trimmed.
    Spaces,
    /// The original Data Portraits library's: line breaks become one U+000A, other runs of white
    /// space one U+0020, which goes away after a line feed; ends trimmed.
    DataPortraits,
}

/// Buffers that live from one text to the next, so that a batch allocates once.
#[derive(Default)]
pub struct Scratch {
    output: Vec<u8>,
    segment: Vec<Piece>,
    composed: Vec<Piece>,
}

impl Scratch {
    /// Give memory back if more than `n_bytes` is held.
    pub fn shrink_over(&mut self, n_bytes: usize) {
        let pieces = self.segment.capacity() + self.composed.capacity();
        if self.output.capacity() + pieces * size_of::<Piece>() > n_bytes {
            *self = Self::default();
        }
    }
}

/// A character on its way through NFC, with its combining class and origin.
#[derive(Clone, Copy)]
struct Piece {
    c: char,
    ccc: u8,
    start: usize,
    end: usize,
}

/// A normalised text: UTF-8, and how many characters it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normalized<'a> {
    /// The text's UTF-8 bytes.
    pub bytes: &'a [u8],
    /// Its length in characters; equal to the number of bytes exactly when it is ASCII.
    pub n_chars: usize,
}

impl Normalizer {
    /// The normaliser of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "spaces" => Some(Self::Spaces),
            "data-portraits" => Some(Self::DataPortraits),
            _ => None,
        }
    }

    /// Normalise `text`, telling `recorder` where the result's characters come from.
    pub fn apply<'a, R: Recorder>(
        self,
        text: &'a str,
        scratch: &'a mut Scratch,
        recorder: &mut R,
    ) -> Normalized<'a> {
        match self {
            Self::None => Normalized { bytes: text.as_bytes(), n_chars: count_chars(text.as_bytes()) },
            Self::Spaces => spaces(text, scratch, recorder),
            Self::DataPortraits => data_portraits(text, &mut scratch.output, recorder),
        }
    }
}

/// How many characters valid UTF-8 holds.
pub fn count_chars(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    // Sums of bytes over runs too short to overflow one: loops that compile to vector code.
    let starts = |run: &[u8]| run.iter().map(|&byte| u8::from(is_char_start(byte))).sum::<u8>();
    bytes.chunks(u8::MAX as usize).map(|run| usize::from(starts(run))).sum()
}

/// Whether a byte of valid UTF-8 begins a character.
#[inline(always)]
pub fn is_char_start(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

fn spaces<'a, R: Recorder>(text: &str, scratch: &'a mut Scratch, recorder: &mut R) -> Normalized<'a> {
    // Canonical composition can lengthen UTF-8 threefold (U+1D160 and its kind), but only where a
    // segment is composed, which grows the buffer itself; the copying loops need the input's length.
    let slack = text.len() + WORD;
    if scratch.output.len() < slack {
        scratch.output.resize(slack, 0);
    }
    let Scratch { output, segment, composed } = scratch;
    let mut writer =
        Writer { output, len: 0, chars_in: 0, chars_out: 0, after_space: true, recorder, segment, composed };

    let mut rest = text;
    while !rest.is_empty() {
        let n_ascii = ascii_prefix(rest.as_bytes());
        if n_ascii > 0 {
            writer.ascii(&rest.as_bytes()[..n_ascii]);
            rest = &rest[n_ascii..];
        }
        rest = writer.others(rest);
    }
    let (len, n_chars) = writer.finish();
    Normalized { bytes: &scratch.output[..len], n_chars }
}

pub(crate) const WORD: usize = 8;
pub(crate) const LOW: u64 = 0x0101_0101_0101_0101;
pub(crate) const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes of ASCII `bytes` begins with.
pub(crate) fn ascii_prefix(bytes: &[u8]) -> usize {
    let mut n = 0;
    for word in bytes.chunks_exact(WORD) {
        let high = u64::from_le_bytes(word.try_into().expect("a word")) & HIGH;
        if high != 0 {
            return n + (high.trailing_zeros() / 8) as usize;
        }
        n += WORD;
    }
    n + bytes[n..].iter().take_while(|byte| byte.is_ascii()).count()
}

/// The high bit of every byte of an ASCII word that is White_Space: U+0009…U+000D and U+0020.
#[inline(always)]
fn white_space(word: u64) -> u64 {
    // No byte exceeds 0x7F, so none of the sums carries into its neighbour.
    let at_least_tab = word + LOW * (0x80 - 0x09);
    let above_return = word + LOW * (0x80 - 0x0E);
    let not_space = (word ^ (LOW * 0x20)) + LOW * 0x7F;
    ((at_least_tab & !above_return) | !not_space) & HIGH
}

/// The output so far, and what the next character has to know of it.
struct Writer<'a, R: Recorder> {
    output: &'a mut Vec<u8>,
    len: usize,
    chars_in: usize,
    chars_out: usize,
    /// Further white space is dropped: the last character written is a space, or none is.
    after_space: bool,
    recorder: &'a mut R,
    segment: &'a mut Vec<Piece>,
    composed: &'a mut Vec<Piece>,
}

impl<R: Recorder> Writer<'_, R> {
    fn reserve(&mut self, n_bytes: usize) {
        let needed = self.len + n_bytes + WORD;
        if self.output.len() < needed {
            self.output.resize(needed.max(self.output.len() * 2), 0);
        }
    }

    /// White space where white space already stands (or nothing does): left out.
    fn drop_space(&mut self) {
        self.chars_in += 1;
        if self.chars_out == 0 {
            self.recorder.skip_to(self.chars_in);
        } else {
            self.recorder.stretch(self.chars_out - 1, self.chars_in);
        }
    }

    fn ascii(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let mut words = bytes.chunks_exact(WORD);
        for word in &mut words {
            let word = u64::from_le_bytes(word.try_into().expect("a word"));
            let space = white_space(word);
            // 0xFF in every white-space byte.
            let mask = (space >> 7) * 0xFF;
            let folded = (word & !mask) | ((LOW * 0x20) & mask);
            let dropped = space & ((space << 8) | (u64::from(self.after_space) << 7));
            if dropped == 0 {
                self.output[self.len..self.len + WORD].copy_from_slice(&folded.to_le_bytes());
                self.len += WORD;
                self.chars_in += WORD;
                self.chars_out += WORD;
            } else {
                self.close_up(folded, dropped);
            }
            self.after_space = space >> 63 != 0;
        }
        for &byte in words.remainder() {
            self.ascii_byte(byte);
        }
    }

    /// Write the bytes of a folded word that are not dropped.
    #[inline(always)]
    fn close_up(&mut self, folded: u64, dropped: u64) {
        let start = self.len;
        // Every byte is written; whether it stays is a sum, not a branch.
        for i in 0..WORD {
            self.output[self.len] = (folded >> (8 * i)) as u8;
            self.len += 1 - (dropped >> (8 * i + 7) & 1) as usize;
        }
        if R::RECORDS {
            for i in 0..WORD {
                if dropped >> (8 * i + 7) & 1 != 0 {
                    self.drop_space();
                } else {
                    self.chars_in += 1;
                    self.chars_out += 1;
                }
            }
        } else {
            self.chars_in += WORD;
            self.chars_out += self.len - start;
        }
    }

    #[inline(always)]
    fn ascii_byte(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() || byte == 0x0B {
            self.space();
        } else {
            self.output[self.len] = byte;
            self.len += 1;
            self.chars_in += 1;
            self.chars_out += 1;
            self.after_space = false;
        }
    }

    #[inline(always)]
    fn space(&mut self) {
        if self.after_space {
            self.drop_space();
        } else {
            self.output[self.len] = b' ';
            self.len += 1;
            self.chars_in += 1;
            self.chars_out += 1;
            self.after_space = true;
        }
    }

    /// Everything up to the next ASCII character; returns the text from there on.
    fn others<'t>(&mut self, text: &'t str) -> &'t str {
        self.reserve(text.len().min(4 * WORD));
        let mut rest = text;
        loop {
            let mut n_bytes = 0;
            let mut n_chars = 0;
            let mut found = None;
            for c in rest.chars() {
                let class = class(c);
                if class != INERT || c.is_ascii() {
                    found = (!c.is_ascii()).then_some((c, class));
                    break;
                }
                n_bytes += c.len_utf8();
                n_chars += 1;
            }
            if n_bytes > 0 {
                self.reserve(n_bytes);
                self.copy(&rest.as_bytes()[..n_bytes], n_chars);
                rest = &rest[n_bytes..];
            }
            match found {
                None => return rest,
                Some((c, SPACE)) => {
                    self.reserve(1);
                    self.space();
                    rest = &rest[c.len_utf8()..];
                }
                Some(_) => rest = self.marks(rest),
            }
        }
    }

    fn copy(&mut self, bytes: &[u8], n_chars: usize) {
        self.output[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        self.chars_in += n_chars;
        self.chars_out += n_chars;
        self.after_space = false;
    }

    /// A run of characters that are not inert, at the start of `text`; returns what follows it.
    fn marks<'t>(&mut self, text: &'t str) -> &'t str {
        let mut n_bytes = 0;
        let mut n_chars = 0;
        let mut last_ccc = 0;
        let mut is_nfc = true;
        for c in text.chars() {
            let class = class(c);
            if class < MARK {
                break;
            }
            let ccc = canonical_combining_class(c);
            is_nfc &= class == MARK && last_ccc <= ccc;
            last_ccc = ccc;
            n_bytes += c.len_utf8();
            n_chars += 1;
        }
        let (run, rest) = text.split_at(n_bytes);
        if is_nfc {
            self.reserve(n_bytes);
            self.copy(run.as_bytes(), n_chars);
        } else {
            self.recompose(run, n_chars);
        }
        rest
    }

    /// NFC of the last character written and `run`, a maximal run of characters that are not inert.
    ///
    /// Nothing before that character can be touched: it is inert itself, or white space, with
    /// which nothing composes. Nothing after the run can: it begins with an inert character or
    /// white space.
    fn recompose(&mut self, run: &str, n_chars: usize) {
        self.segment.clear();
        if !self.after_space {
            let base = self.take_back();
            push_decomposed(self.segment, base, self.chars_in - 1);
        }
        for (i, c) in run.chars().enumerate() {
            push_decomposed(self.segment, c, self.chars_in + i);
        }
        for marks in self.segment.chunk_by_mut(|_, next| next.ccc != 0) {
            // A chunk begins with a starter, or with the text's very first mark; its class of 0
            // keeps a starter in front.
            marks.sort_by_key(|piece| piece.ccc);
        }
        compose_pieces(self.segment, self.composed);
        make_monotone(self.composed);

        self.reserve(4 * self.composed.len());
        for piece in self.composed.iter() {
            self.recorder.set(self.chars_out, piece.start, piece.end);
            self.len += piece.c.encode_utf8(&mut self.output[self.len..]).len();
            self.chars_out += 1;
        }
        self.chars_in += n_chars;
        self.after_space = false;
    }

    /// Take the last character written, which is inert, back from the output.
    fn take_back(&mut self) -> char {
        let mut start = self.len - 1;
        while !is_char_start(self.output[start]) {
            start -= 1;
        }
        let text = std::str::from_utf8(&self.output[start..self.len]).expect("whole characters");
        let c = text.chars().next().expect("one character");
        self.len = start;
        self.chars_out -= 1;
        c
    }

    /// Trim the end; returns the output's length in bytes and in characters.
    fn finish(mut self) -> (usize, usize) {
        if self.after_space && self.len > 0 {
            self.len -= 1;
            self.chars_out -= 1;
            self.recorder.retract(self.chars_out);
        }
        (self.len, self.chars_out)
    }
}

fn push_decomposed(segment: &mut Vec<Piece>, c: char, at: usize) {
    decompose_canonical(c, |c| {
        segment.push(Piece { c, ccc: canonical_combining_class(c), start: at, end: at + 1 });
    });
}

/// Canonical composition (Unicode Standard, D117) of pieces in canonical order.
///
/// A composed character's origin is the hull of its parts' origins.
fn compose_pieces(segment: &[Piece], composed: &mut Vec<Piece>) {
    composed.clear();
    let mut starter: Option<usize> = None;
    for piece in segment {
        if let Some(i) = starter {
            let blocked = i + 1 < composed.len() && composed[composed.len() - 1].ccc >= piece.ccc;
            if !blocked && let Some(c) = compose(composed[i].c, piece.c) {
                composed[i].c = c;
                composed[i].start = composed[i].start.min(piece.start);
                composed[i].end = composed[i].end.max(piece.end);
                continue;
            }
        }
        if piece.ccc == 0 {
            starter = Some(composed.len());
        }
        composed.push(*piece);
    }
}

/// Widen origins where reordering has crossed them, so that starts and ends never decrease.
fn make_monotone(pieces: &mut [Piece]) {
    let mut end = 0;
    for piece in pieces.iter_mut() {
        end = end.max(piece.end);
        piece.end = end;
    }
    let mut start = usize::MAX;
    for piece in pieces.iter_mut().rev() {
        start = start.min(piece.start);
        piece.start = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origins::{Forget, Origins};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    fn spaced(text: &str) -> (String, Vec<(usize, usize)>) {
        let mut scratch = Scratch::default();
        let mut origins = Origins::default();
        let normalized = Normalizer::Spaces.apply(text, &mut scratch, &mut origins);
        let spans = (0..normalized.n_chars).map(|i| origins.of(i)).collect();
        let output = String::from_utf8(normalized.bytes.to_vec()).unwrap();
        assert_eq!(output.chars().count(), normalized.n_chars);
        (output, spans)
    }

    /// The definition, read off the Unicode crate.
    fn expected(text: &str) -> String {
        text.nfc()
            .collect::<String>()
            .split(char::is_whitespace)
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn white_space_runs_become_one_space_with_the_whole_run_as_origin() {
        let (output, spans) = spaced(" \t a\r\n\r\n b\u{3000}\u{2009}c ");
        assert_eq!(output, "a b c");
        assert_eq!(spans, [(3, 4), (4, 9), (9, 10), (10, 12), (12, 13)]);
    }

    #[test]
    fn composition_and_reordering_keep_the_hull_of_their_origins() {
        let (output, spans) = spaced("xe\u{301}y");
        assert_eq!(output, "x\u{e9}y");
        assert_eq!(spans, [(0, 1), (1, 3), (3, 4)]);
        let (output, spans) = spaced("a\u{301}\u{323}z");
        assert_eq!(output, "\u{1ea1}\u{301}z");
        assert_eq!(spans, [(0, 3), (1, 3), (3, 4)]);
    }

    #[test]
    fn nothing_composes_with_white_space_and_only_white_space_decomposes_to_it() {
        for c in ('\0'..=char::MAX).filter(|c| !c.is_whitespace()) {
            for space in ['\u{20}', '\u{a0}', '\u{2002}', '\u{3000}'] {
                assert_eq!(compose(space, c), None);
            }
            let mut has_space = false;
            decompose_canonical(c, |part| has_space |= part.is_whitespace());
            assert!(!has_space, "{c:?}");
        }
    }

    #[test]
    fn every_character_alone_and_between_letters_follows_the_definition() {
        for c in '\0'..=char::MAX {
            for text in [format!("{c}"), format!("a{c}b"), format!("{c}\u{301}{c}")] {
                assert_eq!(spaced(&text).0, expected(&text), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_follows_the_definition(
            text in r"([ -~]{0,9}|[\t\n\x0b\x0c\r \u{85}\u{a0}\u{2000}]{1,9}|[\u{300}-\u{36f}]{1,4}|[\u{1100}-\u{11ff}]{1,3}|\PC{0,5})*"
        ) {
            let (output, spans) = spaced(&text);
            prop_assert_eq!(&output, &expected(&text));
            let mut scratch = Scratch::default();
            let plain = Normalizer::Spaces.apply(&text, &mut scratch, &mut Forget);
            prop_assert_eq!(plain.bytes, output.as_bytes());
            // What a passage's origin holds normalises back to a text that holds the passage.
            let chars: Vec<char> = text.chars().collect();
            for (i, c) in output.chars().enumerate() {
                let (start, end) = spans[i];
                let origin: String = chars[start..end].iter().collect();
                let whole = if c == ' ' { " ".into() } else { origin.nfc().collect::<String>() };
                prop_assert!(whole.contains(c), "{c:?} not in {origin:?}");
                prop_assert!(i == 0 || (spans[i - 1].0 <= start && spans[i - 1].1 <= end));
            }
        }
    }
}
