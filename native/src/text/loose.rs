//! The normaliser `loose`: finds text through changed case, quotes, punctuation and line breaks.
//!
//! `docs/FORMAT.md` defines it in full: drop Default_Ignorable_Code_Points, NFKD, full case folding,
//! NFC; then every run of characters other than letters, numbers, and marks on either becomes one
//! U+0020, and the ends are trimmed. Three facts make it one pass over the text. What most characters
//! become does not depend on what surrounds them, and is in a table (`build.rs`). The others lie in
//! runs, which affect the last character written before them and nothing earlier. And nothing composes
//! with or across a separator.

use unicode_normalization::char::{decompose_canonical, decompose_compatible};

use super::bytes::{HIGH, LOW, between, is_char_start};
use super::compose::{Piece, compose_pieces, make_monotone, order_pieces};
use super::normalized::{Normalized, Scratch};
use super::origins::Recorder;
use super::writer::{Rule, Run, Writer, normalize};
use crate::interrupt::{STEP, tick};

include!(concat!(env!("OUT_DIR"), "/loose.rs"));

/// A letter or number that stays as it is, whatever precedes it.
const KEPT: u16 = 0;
/// Becomes a space.
const SEPARATOR: u16 = 1;
/// A mark of combining class 0 that composes with nothing before it.
const FREE_MARK: u16 = 2;
/// A mark that composes with nothing before it but has to be put in canonical order.
const MARK: u16 = 3;
/// A mark that may compose with what precedes it.
const COMPOSING_MARK: u16 = 4;
// 5: a character that decomposes into several of these, or a letter that may compose with one before it.
/// A Default_Ignorable_Code_Point.
const IGNORABLE: u16 = 6;
/// From here on: becomes one of the texts in the table, made of letters, numbers, spaces and free
/// marks, and beginning with one of the first three.
const FIRST_MAPPED: u16 = 7;

/// Normalise `text`.
pub fn loose<'a, R: Recorder>(text: &str, scratch: &'a mut Scratch, recorder: &mut R) -> Normalized<'a> {
    normalize::<Loose, R>(text, scratch, recorder)
}

struct Loose;

impl Rule for Loose {
    type Class = u16;
    const UNCHANGED: u16 = KEPT;
    const MARK: u16 = MARK;

    /// Letters become lower case, digits stay, everything else becomes a space.
    #[inline(always)]
    fn ascii_word(word: u64) -> (u64, u64) {
        let upper = between(word, b'A'.into(), b'Z'.into());
        let lower = word | (upper >> 2);
        let space =
            !(between(lower, b'a'.into(), b'z'.into()) | between(lower, b'0'.into(), b'9'.into())) & HIGH;
        // 0xFF in every byte that becomes a space.
        let mask = (space >> 7) * 0xFF;
        ((lower & !mask) | ((LOW * 0x20) & mask), space)
    }

    #[inline(always)]
    fn ascii_byte(byte: u8) -> u8 {
        if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b' ' }
    }

    #[inline(always)]
    fn class(c: char) -> u16 {
        let code = c as usize;
        LOOSE_PAGES[LOOSE_INDEX[code >> 8] as usize][code & 0xFF]
    }

    #[inline(always)]
    fn depends_on_others(class: u16) -> bool {
        (MARK..=IGNORABLE).contains(&class)
    }

    #[inline(always)]
    fn write<'t, R: Recorder>(writer: &mut Writer<R>, rest: &'t str, c: char, class: u16) -> &'t str {
        let n_bytes = c.len_utf8();
        match class {
            SEPARATOR => {
                writer.reserve(1);
                writer.space();
            }
            FREE_MARK if writer.after_space => drop_chars(writer, 1),
            FREE_MARK => {
                writer.reserve(n_bytes);
                writer.copy(&rest.as_bytes()[..n_bytes], 1);
            }
            FIRST_MAPPED.. => replace(writer, mapped(class)),
            _ => return write_run(writer, rest),
        }
        &rest[n_bytes..]
    }
}

/// Return the text that a character of a mapped class becomes.
#[inline(always)]
fn mapped(class: u16) -> &'static str {
    let i = usize::from(class - FIRST_MAPPED);
    &LOOSE_TEXT[LOOSE_ENDS[i] as usize..LOOSE_ENDS[i + 1] as usize]
}

/// Drop marks and ignorable characters after a space or at the start.
fn drop_chars<R: Recorder>(writer: &mut Writer<R>, n_chars: usize) {
    writer.chars_in += n_chars;
    writer.absorb_to(writer.chars_in);
}

/// Write `text` for one character.
#[inline(always)]
fn replace<R: Recorder>(writer: &mut Writer<R>, text: &str) {
    let is_one = !text.as_bytes()[1..].iter().any(|&byte| is_char_start(byte));
    if is_one {
        writer.reserve(text.len());
        writer.copy(text.as_bytes(), 1);
    } else {
        let at = writer.chars_in;
        text.chars().for_each(|c| put(writer, c, at, at + 1));
        writer.chars_in += 1;
    }
}

/// Write a character that stands for `[start, end)`, or drop it if it is a space after a space.
fn put<R: Recorder>(writer: &mut Writer<R>, c: char, start: usize, end: usize) {
    if c != ' ' {
        writer.put(c, start, end);
    } else if writer.after_space {
        writer.absorb_to(end);
    } else {
        writer.put(' ', start, end);
    }
    writer.after_space = c == ' ';
}

/// Write the run of characters that depend on what surrounds them at the start of `text`; return
/// what follows it.
fn write_run<'t, R: Recorder>(writer: &mut Writer<R>, text: &'t str) -> &'t str {
    let (run, rest) = Run::split::<Loose>(text);
    if !run.is_composed {
        recompose(writer, &run);
    } else if writer.after_space {
        drop_chars(writer, run.n_chars);
    } else {
        writer.reserve(run.text.len());
        writer.copy(run.text.as_bytes(), run.n_chars);
    }
    rest
}

/// Write the last character written and the run after it as the definition says.
///
/// Nothing before that character can change: it is a starter that composes with nothing before it,
/// or a space. Nothing after the run can: it begins with another such character.
fn recompose<R: Recorder>(writer: &mut Writer<R>, run: &Run) {
    let mut segment = std::mem::take(writer.segment);
    segment.clear();
    let first = writer.chars_in;
    if !writer.after_space {
        let base = writer.take_back();
        decompose_canonical(base, |c| segment.push(Piece::new(c, first - 1)));
    }
    for (c, at) in run.text.chars().zip(first..) {
        if at % STEP == STEP - 1 {
            tick(16 * STEP);
        }
        if Loose::class(c) != IGNORABLE {
            decompose_compatible(c, |c| segment.push(Piece::new(c, at)));
        } else if let Some(piece) = segment.last_mut() {
            piece.end = at + 1;
        } else {
            writer.absorb_to(at + 1);
        }
    }
    order_pieces(&mut segment);
    fold_pieces(&segment, writer.composed);
    compose_pieces(writer.composed, &mut segment);
    make_monotone(&mut segment);
    for (n, piece) in segment.iter().enumerate() {
        if n % STEP == STEP - 1 {
            tick(8 * STEP);
        }
        match Loose::class(piece.c) {
            SEPARATOR => put(writer, ' ', piece.start, piece.end),
            FREE_MARK | MARK | COMPOSING_MARK if writer.after_space => writer.absorb_to(piece.end),
            _ => put(writer, piece.c, piece.start, piece.end),
        }
    }
    writer.chars_in += run.n_chars;
    *writer.segment = segment;
}

/// Fold the case of pieces in compatibility decomposition (full case folding).
fn fold_pieces(pieces: &[Piece], folded: &mut Vec<Piece>) {
    folded.clear();
    for (n, piece) in pieces.iter().enumerate() {
        if n % STEP == STEP - 1 {
            tick(8 * STEP);
        }
        match (piece.c, Loose::class(piece.c)) {
            // The one mark that folds to a letter; it has been ordered as a mark.
            ('\u{345}', _) => folded.push(Piece { c: 'ι', ccc: 0, ..*piece }),
            // Letters, and starters like the one they stand for.
            (_, class @ FIRST_MAPPED..) => {
                folded.extend(mapped(class).chars().map(|c| Piece { c, ..*piece }));
            }
            _ => folded.push(*piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::origins::{Forget, Origins};
    use icu_casemap::CaseMapper;
    use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

    fn loosened(text: &str) -> (String, Vec<(usize, usize)>) {
        let mut scratch = Scratch::default();
        let mut origins = Origins::default();
        let normalized = loose(text, &mut scratch, &mut origins);
        let spans = (0..normalized.n_chars).map(|i| origins.of(i)).collect();
        let output = String::from_utf8(normalized.bytes.to_vec()).unwrap();
        assert_eq!(output.chars().count(), normalized.n_chars);
        (output, spans)
    }

    /// The definition, by other crates.
    fn expected(text: &str) -> String {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let seen: String = text.chars().filter(|c| !ignorable.contains(*c)).nfkd().collect();
        let folded: String = CaseMapper::new().fold_string(&seen).nfc().collect();
        let mut output = String::new();
        for c in folded.chars() {
            let stays = match c.general_category_group() {
                GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number => true,
                GeneralCategoryGroup::Mark => !output.is_empty() && !output.ends_with(' '),
                _ => false,
            };
            if stays {
                output.push(c);
            } else if !output.is_empty() && !output.ends_with(' ') {
                output.push(' ');
            }
        }
        output.trim_end_matches(' ').to_owned()
    }

    #[test]
    fn a_run_without_letters_becomes_one_space_with_the_whole_run_as_origin() {
        let (output, spans) = loosened("«It's,\r\n-- HERE!");
        assert_eq!(output, "it s here");
        let starts = [1, 2, 3, 4, 5, 11, 12, 13, 14];
        let ends = [2, 3, 4, 5, 11, 12, 13, 14, 15];
        assert_eq!(spans, starts.into_iter().zip(ends).collect::<Vec<_>>());
    }

    #[test]
    fn expansions_stand_for_one_character_and_compositions_for_all_their_parts() {
        assert_eq!(loosened("xﬁÉ").1, [(0, 1), (1, 2), (1, 2), (2, 3)]);
        assert_eq!(loosened("ﬁ\u{301}y"), ("fíy".into(), vec![(0, 1), (0, 2), (2, 3)]));
        assert_eq!(loosened("aß\u{307}\u{ad}½x").0, "asṡ1 2x");
        assert_eq!(loosened("aß\u{307}\u{ad}½x").1, [(0, 1), (1, 2), (1, 4), (4, 5), (4, 5), (4, 5), (5, 6)]);
    }

    #[test]
    fn version_1_is_defined_by_these_tables() {
        // A newer Unicode turns unassigned code points into letters: a change of this
        // number is a decision about portraits of version 1, and belongs in FORMAT.md.
        assert_eq!(crate::text::UNICODE_VERSION.0, 18);
    }

    #[test]
    fn every_character_alone_and_among_others_follows_the_definition() {
        for c in '\0'..=char::MAX {
            let around = [
                format!("{c}"),
                format!("a{c}b"),
                format!("{c}\u{301}{c}"),
                format!("α\u{345}{c}\u{323}ﬁ{c}{c} {c}"),
                format!("\u{1100}{c}\u{11a8}.{c}\u{34f}\u{1161}{c}"),
            ];
            for text in around {
                assert_eq!(loosened(&text).0, expected(&text), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_follows_the_definition(
            text in r"([ -~]{0,9}|[\t\n\x0b\x0c\r \u{85}\u{a0}\u{2000}]{1,9}|[\u{300}-\u{36f}]{1,4}|[\u{1100}-\u{11ff}]{1,3}|[\u{200b}-\u{200f}]{1,2}|[\u{1f80}-\u{1fff}]{1,3}|\PC{0,5})*"
        ) {
            let (output, spans) = loosened(&text);
            prop_assert_eq!(&output, &expected(&text));
            prop_assert_eq!(&loosened(&output).0, &output);
            let mut scratch = Scratch::default();
            let plain = loose(&text, &mut scratch, &mut Forget);
            prop_assert_eq!(plain.bytes, output.as_bytes());
            prop_assert!(spans.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
            for other in [text.nfc().collect::<String>(), text.nfd().collect(), text.nfkc().collect()] {
                prop_assert_eq!(&loosened(&other).0, &output);
            }
        }
    }
}
