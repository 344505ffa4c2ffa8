//! Peeling: a slot that only one key uses can always be set last.
//!
//! Removing that key leaves other slots with one key. If all keys can be removed in this way, setting
//! their slots in reverse order gives each key its fingerprint.

use super::layout::{Layout, MAX_SEGMENT_BITS, fingerprint};
use crate::interrupt::{STEP, tick};

/// Memory reused from one attempt to the next.
#[derive(Default)]
pub(super) struct Scratch {
    counts: Vec<u8>,
    sums: Vec<u64>,
    alone: Vec<u32>,
    peeled: Vec<(u64, u8)>,
    values: Vec<u32>,
}

/// Return the layout for `n_keys` keys at the `attempt`-th attempt: each failure adds a segment.
///
/// The segment length is the paper's. At the first size nearly every seed works; it is fitted to
/// experiments from 10^2 to 2·10^6 keys: small sets need far more slots per key than the limit of 1.03,
/// and where there are many keys for the segments' length, one more segment avoids a failure at the cost
/// of a quarter of a per cent.
pub(super) fn layout(n_keys: u64, attempt: u64) -> Layout {
    let n = n_keys.max(2) as f64;
    let ideal_bits = n.ln() / 2.91_f64.ln() - 0.5;
    let segment_bits = (ideal_bits.floor() as u32).clamp(1, MAX_SEGMENT_BITS);
    let n_slots = (n * (1.0 + 1.168 * n.powf(-0.2125))).ceil() as u64;
    let more = attempt + u64::from(ideal_bits.fract() > 0.5);
    Layout::of_slots(segment_bits, n_slots + (more << segment_bits))
}

/// Return the slots' values, or `None` if the keys cannot all be peeled.
pub(super) fn values<'a>(
    hashes: &[u64],
    n_bits: u32,
    layout: &Layout,
    scratch: &'a mut Scratch,
) -> Option<&'a [u32]> {
    if !peel(hashes, layout, scratch) {
        return None;
    }
    assign(layout, n_bits, scratch);
    Some(&scratch.values)
}

/// Find an order in which every key has a slot of its own; return false if there is none for this seed.
fn peel(hashes: &[u64], layout: &Layout, scratch: &mut Scratch) -> bool {
    let Scratch { counts, sums, alone, peeled, values } = scratch;
    let n_slots = layout.n_slots() as usize;
    // The upper six bits of a byte count the slot's keys; the lower two are the exclusive or of the
    // places (0 to 3) that the slot has among its keys' slots: with one key left, that key's place.
    counts.clear();
    counts.resize(n_slots, 0);
    sums.clear();
    sums.resize(n_slots, 0);
    for hashes in hashes.chunks(STEP) {
        for &h in hashes {
            for (place, slot) in layout.slots(h).into_iter().enumerate() {
                if counts[slot] >= 252 {
                    return false;
                }
                counts[slot] = (counts[slot] + 4) ^ place as u8;
                sums[slot] ^= h;
            }
        }
        tick(16 * STEP);
    }
    peeled.clear();
    values.clear();
    values.resize(n_slots, 0);
    // Following the slots that each removal frees keeps to one part of memory.
    for start in 0..n_slots {
        alone.clear();
        alone.push(start as u32);
        while let Some(slot) = alone.pop() {
            let slot = slot as usize;
            if counts[slot] >> 2 != 1 {
                continue;
            }
            let h = sums[slot];
            peeled.push((h, counts[slot] & 3));
            if peeled.len().is_multiple_of(STEP) {
                tick(32 * STEP);
            }
            for (place, other) in layout.slots(h).into_iter().enumerate() {
                counts[other] = (counts[other] - 4) ^ place as u8;
                sums[other] ^= h;
                if counts[other] >> 2 == 1 {
                    alone.push(other as u32);
                }
            }
        }
    }
    peeled.len() == hashes.len()
}

/// Set the slots in the reverse order of peeling.
fn assign(layout: &Layout, n_bits: u32, scratch: &mut Scratch) {
    let Scratch { peeled, values, .. } = scratch;
    for peeled in peeled.rchunks(STEP) {
        for &(h, place) in peeled.iter().rev() {
            let slots = layout.slots(h);
            let own = slots[place as usize];
            // The key's own slot is still 0, so including it changes nothing.
            values[own] = fingerprint(h, n_bits) ^ slots.iter().fold(0, |sum, &slot| sum ^ values[slot]);
        }
        tick(8 * STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::random_keys;
    use super::*;

    #[test]
    fn peeled_keys_have_their_fingerprints() {
        let mut scratch = Scratch::default();
        for n in [0, 1, 2, 50, 3000, 40_000] {
            let works = (0..40).any(|attempt| {
                let hashes = random_keys(attempt, n);
                let layout = layout(n as u64, attempt);
                let Some(values) = values(&hashes, 9, &layout, &mut scratch) else { return false };
                assert_eq!(values.len() as u64, layout.n_slots());
                for &h in &hashes {
                    let sum = layout.slots(h).iter().fold(0, |sum, &slot| sum ^ values[slot]);
                    assert_eq!(sum, fingerprint(h, 9));
                }
                true
            });
            assert!(works, "{n}");
        }
    }

    #[test]
    fn keys_that_share_all_slots_cannot_be_peeled() {
        let hashes = [7 << 40, 7 << 40];
        assert!(values(&hashes, 9, &layout(2, 0), &mut Scratch::default()).is_none());
    }
}
