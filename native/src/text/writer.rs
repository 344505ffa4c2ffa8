//! The one loop over a text that the normalisers `spaces` and `loose` share, and its output.
//!
//! A normaliser is a [`Rule`] about single characters. Everything else is written here once: folding
//! runs of spaces into one, copying runs of unchanged characters, counting, growing the output.
//!
//! What bounds it: ASCII goes eight bytes at a time; spaces are found, folded and closed up with
//! arithmetic on whole words. Other characters cost one table look-up each, and a run of unchanged ones
//! is copied as a whole. The loop over other characters stays out of line, which keeps the registers of
//! the ASCII loop free: inlined, it costs `loose` a tenth on ASCII text.

use unicode_normalization::char::canonical_combining_class;

use super::bytes::{WORD, ascii_prefix, is_char_start, split_step};
use super::compose::Piece;
use super::normalized::{Normalized, Scratch};
use super::origins::Recorder;
use crate::interrupt::{STEP, extend_with_zeros, tick};

/// What a normaliser does with single characters.
pub trait Rule: Sized {
    /// A class of characters beyond ASCII.
    type Class: Copy + PartialEq;
    /// The class of the characters that stay as they are, whatever surrounds them.
    const UNCHANGED: Self::Class;
    /// The class of the marks that never compose but have to be put in canonical order.
    const MARK: Self::Class;

    /// Map every byte of an ASCII word; also return the high bit of each byte that becomes a space.
    fn ascii_word(word: u64) -> (u64, u64);

    /// Map one ASCII byte; a space becomes U+0020.
    fn ascii_byte(byte: u8) -> u8;

    /// Return the class of a character.
    fn class(c: char) -> Self::Class;

    /// Whether what becomes of such characters depends on what surrounds them.
    fn depends_on_others(class: Self::Class) -> bool;

    /// Write the character `c` at the start of `rest`, which is beyond ASCII and not unchanged, or a
    /// whole run that starts with it; return the text after it.
    fn write<'t, R: Recorder>(writer: &mut Writer<R>, rest: &'t str, c: char, class: Self::Class) -> &'t str;
}

/// Normalise `text` by the rule `N`.
pub fn normalize<'a, N: Rule, R: Recorder>(
    text: &str,
    scratch: &'a mut Scratch,
    recorder: &mut R,
) -> Normalized<'a> {
    let mut writer = Writer::new(scratch, text.len(), recorder);
    let mut left = text;
    while !left.is_empty() {
        let (step, after) = split_step_of::<N>(left);
        let mut rest = step;
        while !rest.is_empty() {
            let (ascii, others) = rest.split_at(ascii_prefix(rest.as_bytes()));
            writer.ascii::<N>(ascii.as_bytes());
            rest = writer.others::<N>(others);
        }
        tick(2 * step.len());
        left = after;
    }
    let (len, n_chars) = writer.finish();
    Normalized { bytes: &scratch.output[..len], n_chars }
}

/// Cut about [`STEP`] bytes off a text in front of a character that nothing before it depends on.
fn split_step_of<N: Rule>(text: &str) -> (&str, &str) {
    let (step, after) = split_step(text);
    let is_free = |c: char| {
        tick(4);
        c.is_ascii() || N::class(c) == N::UNCHANGED
    };
    text.split_at(step.len() + after.find(is_free).unwrap_or(after.len()))
}

/// A maximal run of characters that depend on what surrounds them.
pub struct Run<'t> {
    /// The run.
    pub text: &'t str,
    /// Its length in characters.
    pub n_chars: usize,
    /// Whether it consists of marks in canonical order that compose with nothing.
    pub is_composed: bool,
}

impl<'t> Run<'t> {
    /// Split `text` after the run at its start.
    #[inline(always)]
    pub fn split<N: Rule>(text: &'t str) -> (Self, &'t str) {
        let mut n_bytes = 0;
        let mut n_chars = 0;
        let mut last_ccc = 0;
        let mut is_composed = true;
        for c in text.chars() {
            let class = N::class(c);
            if !N::depends_on_others(class) {
                break;
            }
            let ccc = canonical_combining_class(c);
            is_composed &= class == N::MARK && last_ccc <= ccc;
            last_ccc = ccc;
            n_bytes += c.len_utf8();
            n_chars += 1;
            if n_chars % STEP == 0 {
                tick(8 * STEP);
            }
        }
        let (text, rest) = text.split_at(n_bytes);
        (Self { text, n_chars, is_composed }, rest)
    }
}

/// The output so far, and what the next character depends on.
pub struct Writer<'a, R: Recorder> {
    output: &'a mut Vec<u8>,
    len: usize,
    /// Characters of the original text that have been read.
    pub chars_in: usize,
    /// Characters that have been written.
    pub chars_out: usize,
    /// Whether a further space is dropped: the last character written is a space, or there is none.
    pub after_space: bool,
    recorder: &'a mut R,
    /// Characters on their way through composition.
    pub segment: &'a mut Vec<Piece>,
    /// A second list for them.
    pub composed: &'a mut Vec<Piece>,
}

impl<'a, R: Recorder> Writer<'a, R> {
    /// Create a writer for a text of `n_bytes`.
    fn new(scratch: &'a mut Scratch, n_bytes: usize, recorder: &'a mut R) -> Self {
        // Copying needs the input's length; what makes text longer reserves more.
        let slack = n_bytes + WORD;
        let Scratch { output, segment, composed, .. } = scratch;
        extend_with_zeros(output, slack);
        Self { output, len: 0, chars_in: 0, chars_out: 0, after_space: true, recorder, segment, composed }
    }

    /// Make room for `n_bytes` more.
    #[inline(always)]
    pub fn reserve(&mut self, n_bytes: usize) {
        let needed = self.len + n_bytes + WORD;
        if self.output.len() < needed {
            self.grow(needed);
        }
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        extend_with_zeros(self.output, needed.max(self.output.len() * 2));
    }

    /// Add the input up to `end` to the origin of the last character, or drop it if there is none.
    #[inline(always)]
    pub fn absorb_to(&mut self, end: usize) {
        if self.chars_out == 0 {
            self.recorder.skip_to(end);
        } else {
            self.recorder.stretch(self.chars_out - 1, end);
        }
    }

    /// Drop a space that follows a space, or stands at the start.
    #[inline(always)]
    fn drop_space(&mut self) {
        self.chars_in += 1;
        self.absorb_to(self.chars_in);
    }

    /// Write a run of ASCII.
    fn ascii<N: Rule>(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let mut words = bytes.chunks_exact(WORD);
        for word in &mut words {
            let (folded, space) = N::ascii_word(u64::from_le_bytes(word.try_into().expect("a word")));
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
            match N::ascii_byte(byte) {
                b' ' => self.space(),
                byte => {
                    self.output[self.len] = byte;
                    self.len += 1;
                    self.chars_in += 1;
                    self.chars_out += 1;
                    self.after_space = false;
                }
            }
        }
    }

    /// Write everything up to the next ASCII character; return the text from there on.
    #[inline(never)]
    fn others<'t, N: Rule>(&mut self, text: &'t str) -> &'t str {
        let mut rest = text;
        loop {
            let mut n_bytes = 0;
            let mut n_chars = 0;
            let mut stop = None;
            for c in rest.chars() {
                let class = N::class(c);
                if class != N::UNCHANGED || c.is_ascii() {
                    stop = (!c.is_ascii()).then_some((c, class));
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
            let Some((c, class)) = stop else { return rest };
            rest = N::write(self, rest, c, class);
        }
    }

    /// Write the bytes of a word that are not dropped.
    #[inline(always)]
    fn close_up(&mut self, folded: u64, dropped: u64) {
        let start = self.len;
        // Every byte is written; whether it stays is a sum, not a branch.
        for i in 0..WORD {
            self.output[self.len] = (folded >> (8 * i)) as u8;
            self.len += 1 - (dropped >> (8 * i + 7) & 1) as usize;
        }
        if R::RECORDS {
            // One bit for each byte; runs of bytes that stay and runs that are dropped take turns.
            let mut dropped = ((dropped >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32;
            let mut left = WORD;
            while dropped != 0 {
                let n_kept = dropped.trailing_zeros() as usize;
                self.chars_in += n_kept;
                self.chars_out += n_kept;
                dropped >>= n_kept;
                let n_dropped = dropped.trailing_ones() as usize;
                self.chars_in += n_dropped;
                self.absorb_to(self.chars_in);
                dropped >>= n_dropped;
                left -= n_kept + n_dropped;
            }
            self.chars_in += left;
            self.chars_out += left;
        } else {
            self.chars_in += WORD;
            self.chars_out += self.len - start;
        }
    }

    /// Write a space, or drop it after another; there is room for it.
    #[inline(always)]
    pub fn space(&mut self) {
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

    /// Write characters that stay as they are or become as many others; there is room for them.
    #[inline(always)]
    pub fn copy(&mut self, bytes: &[u8], n_chars: usize) {
        self.output[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        self.chars_in += n_chars;
        self.chars_out += n_chars;
        self.after_space = false;
    }

    /// Write a character that stands for `[start, end)`, without counting what was read.
    #[inline(always)]
    pub fn put(&mut self, c: char, start: usize, end: usize) {
        self.reserve(c.len_utf8());
        self.recorder.set(self.chars_out, start, end);
        self.len += c.encode_utf8(&mut self.output[self.len..]).len();
        self.chars_out += 1;
    }

    /// Remove the last character written, which is not a space, from the output.
    pub fn take_back(&mut self) -> char {
        let mut start = self.len - 1;
        while !is_char_start(self.output[start]) {
            start -= 1;
        }
        let text = std::str::from_utf8(&self.output[start..self.len]).expect("whole characters");
        let c = text.chars().next().expect("one character");
        self.len = start;
        self.chars_out -= 1;
        self.recorder.retract(self.chars_out);
        c
    }

    /// Trim the end; return the output's length in bytes and in characters.
    fn finish(mut self) -> (usize, usize) {
        if self.after_space && self.len > 0 {
            self.len -= 1;
            self.chars_out -= 1;
            self.recorder.retract(self.chars_out);
        }
        (self.len, self.chars_out)
    }
}
