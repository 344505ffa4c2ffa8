//! The output of a normaliser that folds runs of spaces into one, as it is written.
//!
//! ASCII runs eight bytes at a time: spaces are found, folded and closed up with arithmetic on
//! whole words. What a space is, and what becomes of the other characters, is the normaliser's rule.

use crate::compose::Piece;
use crate::normalize::{HIGH, LOW, Scratch, WORD, is_char_start};
use crate::origins::Recorder;

/// What a normaliser makes of ASCII.
pub trait Ascii {
    /// An ASCII word with every byte mapped, and the high bit of each one that has become a space.
    fn word(word: u64) -> (u64, u64);
    /// What a single byte becomes: U+0020 where it is a space.
    fn byte(byte: u8) -> u8;
}

/// The high bit of every byte of an ASCII word that lies in `[first, last]`.
#[inline(always)]
pub fn between(word: u64, first: u64, last: u64) -> u64 {
    // No byte exceeds 0x7F, so none of the sums carries into its neighbour.
    (word + LOW * (0x80 - first)) & !(word + LOW * (0x7F - last)) & HIGH
}

/// The output so far, and what the next character has to know of it.
pub struct Writer<'a, R: Recorder> {
    output: &'a mut Vec<u8>,
    len: usize,
    /// Characters of the text as given that have been read.
    pub chars_in: usize,
    /// Characters that have been written.
    pub chars_out: usize,
    /// Further spaces are dropped: the last character written is a space, or none is.
    pub after_space: bool,
    /// Hears where the output comes from.
    pub recorder: &'a mut R,
    /// For characters on their way through composition.
    pub segment: &'a mut Vec<Piece>,
    /// And behind it.
    pub composed: &'a mut Vec<Piece>,
}

impl<'a, R: Recorder> Writer<'a, R> {
    /// A writer for a text of `n_bytes`.
    pub fn new(scratch: &'a mut Scratch, n_bytes: usize, recorder: &'a mut R) -> Self {
        // What makes text longer reserves the room for it; copying needs the input's length.
        let slack = n_bytes + WORD;
        let Scratch { output, segment, composed, .. } = scratch;
        if output.len() < slack {
            output.resize(slack, 0);
        }
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
        self.output.resize(needed.max(self.output.len() * 2), 0);
    }

    /// What was read so far, up to `end`, belongs to the space before it, or to nothing.
    #[inline(always)]
    pub fn absorb_to(&mut self, end: usize) {
        if self.chars_out == 0 {
            self.recorder.skip_to(end);
        } else {
            self.recorder.stretch(self.chars_out - 1, end);
        }
    }

    /// White space where white space already stands (or nothing does): left out.
    #[inline(always)]
    fn drop_space(&mut self) {
        self.chars_in += 1;
        self.absorb_to(self.chars_in);
    }

    /// A run of ASCII.
    pub fn ascii<A: Ascii>(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let mut words = bytes.chunks_exact(WORD);
        for word in &mut words {
            let (folded, space) = A::word(u64::from_le_bytes(word.try_into().expect("a word")));
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
            match A::byte(byte) {
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

    /// One character that is a space; there is room for it.
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

    /// Characters that stay as they are, or become as many others; there is room for them.
    #[inline(always)]
    pub fn copy(&mut self, bytes: &[u8], n_chars: usize) {
        self.output[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        self.chars_in += n_chars;
        self.chars_out += n_chars;
        self.after_space = false;
    }

    /// A character that stands for `[start, end)`; what is read is counted elsewhere.
    #[inline(always)]
    pub fn put(&mut self, c: char, start: usize, end: usize) {
        self.reserve(c.len_utf8());
        self.recorder.set(self.chars_out, start, end);
        self.len += c.encode_utf8(&mut self.output[self.len..]).len();
        self.chars_out += 1;
    }

    /// Take the last character written, which is no space, back from the output.
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

    /// Trim the end; returns the output's length in bytes and in characters.
    pub fn finish(mut self) -> (usize, usize) {
        if self.after_space && self.len > 0 {
            self.len -= 1;
            self.chars_out -= 1;
            self.recorder.retract(self.chars_out);
        }
        (self.len, self.chars_out)
    }
}
