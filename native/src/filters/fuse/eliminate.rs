//! Elimination: each key is a linear equation of its slots, and sets of up to a quarter million keys are
//! built by solving them.
//!
//! With four slots per key, a solution almost always exists from 1.024 slots a key on. Chance and the
//! three extra segments bring that to 1.05 at 10^4 keys and 1.035 from 10^5 on, where peeling takes 1.17
//! and 1.1.

use super::layout::{ARITY, Layout, fingerprint};
use super::solve::{Equation, solve};

/// The largest set to build by elimination: above, peeling takes at most 1.085 slots a key, in less than
/// a tenth of the time and a fraction of the memory.
pub(super) const MAX_KEYS: u64 = 1 << 18;
/// Seeds to try at one size before the size grows.
const TRIES_PER_SIZE: u64 = 2;
/// With segments of at most 2^6 slots, a key's slots lie within four words of 64, whichever slot of its
/// segment is the first.
const NARROW_BITS: u32 = 6;
/// Longer segments would need longer rows.
const WIDE_BITS: u32 = 7;

/// Return the layout for `n_keys` keys at the `attempt`-th attempt.
///
/// Shorter segments have fewer slots in the three extra ones, but leave more slots unused by chance: the
/// best length is about the square root of the number of keys. The first size is too small for most
/// seeds.
pub(super) fn layout(n_keys: u64, attempt: u64) -> Layout {
    let n = n_keys.max(2);
    let segment_bits = ((n * 4 / 5).max(1).ilog2() / 2).clamp(1, WIDE_BITS);
    let extra = (ARITY as u64 - 1) << segment_bits;
    let size = attempt / TRIES_PER_SIZE;
    // Each size adds a segment to the one before, or 0.2 % of the keys if that is more.
    let growth = size * (1u64 << segment_bits).max(n / 512);
    Layout::of_slots(segment_bits, n + n / 40 + extra + growth)
}

/// Return the slots' values, or `None` if the equations contradict each other.
pub(super) fn values(hashes: &[u64], n_bits: u32, layout: &Layout) -> Option<Vec<u32>> {
    let equation = |&h: &u64| Equation { columns: layout.slots(h), value: fingerprint(h, n_bits) };
    let equations = hashes.iter().map(equation);
    let n_slots = layout.n_slots() as usize;
    if layout.segment_bits <= NARROW_BITS {
        solve::<4, ARITY>(equations, n_slots)
    } else {
        solve::<8, ARITY>(equations, n_slots)
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::random_keys;
    use super::*;

    #[test]
    fn solved_keys_have_their_fingerprints_in_few_slots() {
        for n in [0usize, 1, 2, 5, 50, 1279, 1280, 5119, 5120, 10_000, 20_479, 20_480, 100_000] {
            let works = (0..40).any(|attempt| {
                let hashes = random_keys(attempt, n);
                let layout = layout(n as u64, attempt);
                let Some(values) = values(&hashes, 9, &layout) else { return false };
                assert_eq!(values.len() as u64, layout.n_slots());
                assert!(n < 10_000 || layout.n_slots() as f64 <= 1.06 * n as f64, "{n}: {layout:?}");
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
    fn slots_fit_the_rows_wherever_a_key_begins() {
        for n in 0..3000 {
            let hashes = random_keys(n, 3);
            for h in hashes.into_iter().chain([0, u64::MAX]) {
                let layout = layout(n * 97, 0);
                let words = layout.slots(h).map(|slot| slot / 64);
                let width = if layout.segment_bits <= NARROW_BITS { 4 } else { 8 };
                assert!(words.iter().max().unwrap() - words[0] < width, "{layout:?}");
            }
        }
    }

    #[test]
    fn equal_keys_of_different_fingerprints_contradict_each_other() {
        let h = 7 << 40;
        let other = (0..64).map(|i| h | i << 30).find(|&h2| fingerprint(h2, 9) != fingerprint(h, 9));
        let layout = Layout::of_slots(1, 8);
        let hashes = [h, other.expect("some other")];
        assert_eq!(layout.slots(hashes[0]), layout.slots(hashes[1]));
        assert_eq!(values(&hashes, 9, &layout), None);
    }
}
