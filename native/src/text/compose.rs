//! Canonical ordering and composition of characters that carry their origins.

use unicode_normalization::char::{canonical_combining_class, compose};

use crate::interrupt::{STEP, tick};

/// A character, with its combining class and origin.
#[derive(Clone, Copy)]
pub struct Piece {
    /// The character.
    pub c: char,
    /// Its canonical combining class.
    pub ccc: u8,
    /// Start of its origin.
    pub start: usize,
    /// End of its origin.
    pub end: usize,
}

impl Piece {
    /// Create a piece whose origin is the one character at `at`.
    pub fn new(c: char, at: usize) -> Self {
        Self { c, ccc: canonical_combining_class(c), start: at, end: at + 1 }
    }
}

/// Bring pieces into canonical order.
pub fn order_pieces(segment: &mut [Piece]) {
    for marks in segment.chunk_by_mut(|_, next| next.ccc != 0) {
        // A chunk begins with a starter, or with the text's very first mark; a starter's class of 0
        // keeps it in front.
        if marks.len() < STEP {
            marks.sort_by_key(|piece| piece.ccc);
        } else {
            marks.sort_by_key(|piece| {
                tick(4);
                piece.ccc
            });
        }
    }
}

/// Compose pieces in canonical order (canonical composition, Unicode Standard, D117).
///
/// A composed character's origin is the hull of its parts' origins.
pub fn compose_pieces(segment: &[Piece], composed: &mut Vec<Piece>) {
    composed.clear();
    let mut starter: Option<usize> = None;
    for (n, piece) in segment.iter().enumerate() {
        if n % STEP == STEP - 1 {
            tick(16 * STEP);
        }
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

/// Widen origins that reordering has crossed, so that starts and ends never decrease.
pub fn make_monotone(pieces: &mut [Piece]) {
    let mut end = 0;
    for step in pieces.chunks_mut(STEP) {
        for piece in step.iter_mut() {
            end = end.max(piece.end);
            piece.end = end;
        }
        tick(step.len());
    }
    let mut start = usize::MAX;
    for step in pieces.rchunks_mut(STEP) {
        for piece in step.iter_mut().rev() {
            start = start.min(piece.start);
            piece.start = start;
        }
        tick(step.len());
    }
}
