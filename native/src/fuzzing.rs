//! What fuzzing feeds with arbitrary bytes: each function here takes any input and panics on a broken promise.
//!
//! `native/fuzz` calls them with inputs that libFuzzer finds; the tests below with a fixed number of made
//! ones and with all of `native/fuzz/seeds`.

use unicode_normalization::UnicodeNormalization;

use crate::filters::bloom::{self, BLOCK_BYTES, Bloom};
use crate::filters::filter::{Batch, Filter};
use crate::filters::fuse::{self, Fuse, ROW, Table};
use crate::filters::pybloom::{Layout, PyBloom};
use crate::filters::redisbloom::{Hash, Link, RedisBloom};
use crate::filters::ribbon::{self, Ribbon};
use crate::scan::chains::{Follower, Offsets};
use crate::scan::scan::{hits, scan};
use crate::text::Normalizer;
use crate::text::normalized::Scratch;
use crate::text::origins::{Forget, Origins};
use crate::windows::arrow::{Counts, Texts};
use crate::windows::keys::{DocumentKeys, document_keys};
use crate::windows::sampling::Sampling;
use crate::windows::sort::sort_unique;
use crate::windows::spec::Spec;
use crate::windows::windows::{Unit, Windows};

const NORMALIZERS: [Normalizer; 4] =
    [Normalizer::None, Normalizer::Spaces, Normalizer::Loose, Normalizer::DataPortraits];

/// Split off the first bytes as a number, 0 where there are too few.
fn number(data: &mut &[u8]) -> u64 {
    let Some((first, rest)) = data.split_first_chunk::<8>() else {
        *data = &[];
        return 0;
    };
    *data = rest;
    u64::from_le_bytes(*first)
}

/// Split off a small number: the first byte.
fn small(data: &mut &[u8]) -> usize {
    let Some((first, rest)) = data.split_first() else { return 0 };
    *data = rest;
    usize::from(*first)
}

fn keys_in(data: &[u8]) -> Vec<u64> {
    data.as_chunks().0.iter().map(|key| u64::from_le_bytes(*key)).collect()
}

/// Normalise a text in every way: output and origins are what they are documented to be.
pub fn normalizers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let n_chars = text.chars().count();
    let mut scratch = Scratch::default();
    for normalizer in NORMALIZERS {
        let mut origins = Origins::default();
        let normalized = normalizer.apply(&text, &mut scratch, &mut origins);
        let output = String::from_utf8(normalized.bytes.to_vec()).expect("UTF-8");
        assert_eq!(output.chars().count(), normalized.n_chars);
        let mut before = (0, 0);
        for at in 0..normalized.n_chars {
            let (start, end) = origins.of(at);
            assert!(before.0 <= start && before.1 <= end && start < end && end <= n_chars, "{text:?}");
            before = (start, end);
        }
        assert_eq!(normalizer.apply(&text, &mut scratch, &mut Forget).bytes, output.as_bytes());
        match normalizer {
            Normalizer::None => assert_eq!(output, text),
            Normalizer::Spaces => {
                let words: Vec<String> =
                    text.nfc().collect::<String>().split_whitespace().map(str::to_owned).collect();
                assert_eq!(output, words.join(" "));
            }
            Normalizer::Loose => {
                assert_eq!(normalizer.apply(&output, &mut scratch, &mut Forget).bytes, output.as_bytes());
            }
            Normalizer::DataPortraits => assert!(output.len() <= text.len()),
        }
    }
}

/// Open memory that others filled as a filter of each kind, or as a column of texts: it is refused, or every
/// look-up stays within it.
pub fn headers(mut data: &[u8]) {
    let kind = small(&mut data) % 6;
    let probes: Vec<u64> = (0..64u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let mut hits = vec![false; probes.len()];
    match kind {
        0 => {
            let n_bits = small(&mut data) as u32;
            let n_rows = small(&mut data) % 5;
            let (rows, rest) = data.split_at(data.len().min(8 * ROW * n_rows));
            let cut = small(&mut data).min(n_rows) * 8 * ROW;
            let (first, second) = rows.split_at(cut.min(rows.len()));
            let at = rest.len() / 2;
            for shards in
                [vec![(rows, rest)], vec![(first, &rest[..at]), (second, &rest[at..])], vec![(rows, &[][..])]]
            {
                let sizes: Vec<(&[u8], usize)> =
                    shards.iter().map(|(rows, bytes)| (*rows, bytes.len())).collect();
                if let Ok(table) = Table::new(&sizes, n_bits) {
                    let fingerprints = shards.iter().map(|(_, bytes)| *bytes).collect();
                    Fuse::new(&table, fingerprints).contains_keys(&probes, &mut hits);
                }
            }
        }
        1 => {
            let pieces: Vec<&[u8]> = data.chunks((small(&mut data) + 1) * BLOCK_BYTES / 4).collect();
            if let Some(bloom) = Bloom::from_pieces(&pieces) {
                bloom.contains_keys(&probes, &mut hits);
                assert!((0.0..=1.0).contains(&bloom.rate()));
            }
        }
        2 => {
            let (n_slices, slice_bits) = (small(&mut data) * 5, number(&mut data));
            // What fits the data, too: few numbers do by chance.
            for slice_bits in [slice_bits, slice_bits % 4096, 8 * data.len() as u64 / n_slices.max(1) as u64]
            {
                let Some(layout) = Layout::new(n_slices, slice_bits) else { continue };
                let bits = &data[..data.len().min(layout.n_bytes())];
                if let Some(filter) = PyBloom::new(&layout, bits) {
                    look_up(&filter, data);
                    assert!((0.0..=1.0).contains(&filter.rate()));
                }
            }
        }
        3 => {
            let hash = if small(&mut data).is_multiple_of(2) { Hash::Murmur32 } else { Hash::Murmur64 };
            let mut links = Vec::new();
            for _ in 0..small(&mut data) % 4 {
                let (n_bits, n_hashes) = (number(&mut data), small(&mut data) as u32);
                let (bits, rest) = data.split_at(data.len() / 2);
                data = rest;
                let n_bits = if n_bits % 2 == 0 { n_bits } else { n_bits % (8 * bits.len() as u64 + 2) };
                links.extend(Link::new(bits.chunks(7).collect(), n_bits, n_hashes));
            }
            let filter = RedisBloom { links, hash };
            look_up(&filter, data);
            assert!((0.0..=1.0).contains(&filter.rate()));
        }
        4 => {
            let n_columns = small(&mut data) as u32;
            let n_partitions = small(&mut data) % 5;
            let (table, rest) = data.split_at(data.len().min(8 * n_partitions));
            let (first, second) = table.split_at((small(&mut &*rest) % 5 * 8).min(table.len()));
            let at = rest.len() / 2;
            for shards in [vec![(table, rest)], vec![(first, &rest[..at]), (second, &rest[at..])]] {
                let sizes: Vec<(&[u8], usize)> =
                    shards.iter().map(|(table, bytes)| (*table, bytes.len())).collect();
                if let Ok(table) = ribbon::Table::new(&sizes, n_columns) {
                    let ribbon = Ribbon::new(&table, shards.iter().map(|(_, bytes)| *bytes).collect());
                    ribbon.contains_keys(&probes, &mut hits);
                    assert!((0.0..=1.0).contains(&ribbon.rate()) && ribbon.rate() == ribbon.sampled_rate());
                }
            }
        }
        _ => {
            let offset_bytes = if small(&mut data).is_multiple_of(2) { 4 } else { 8 };
            let (first, n_rows) = (small(&mut data), small(&mut data));
            let (offsets, rest) = data.split_at(data.len() / 2);
            for validity in [None, Some(&rest[..rest.len() / 4])] {
                let texts = Texts { offsets, offset_bytes, data: rest, validity, first, n_rows };
                let mut n_bytes = 0;
                let counts = texts.for_each(|text| {
                    n_bytes += text.len() as u64;
                    Counts::of_document(text, 0)
                });
                assert!(counts.is_err() || counts.is_ok_and(|counts| counts.n_bytes == n_bytes));
            }
        }
    }
}

fn look_up(filter: &dyn Filter, data: &[u8]) {
    let windows: Vec<&[u8]> = data.chunks(11).take(300).collect();
    let keys = vec![0; windows.len()];
    let (mut all, mut alone) = (vec![true; windows.len()], vec![true; windows.len()]);
    filter.contains(Batch { keys: &keys, windows: &windows }, &mut all);
    for (i, hit) in alone.iter_mut().enumerate() {
        filter.contains(Batch { keys: &keys[i..=i], windows: &windows[i..=i] }, std::slice::from_mut(hit));
    }
    assert_eq!(all, alone);
}

/// Build filters of any keys: what was put in is found, in one piece or several, and sorting keeps every key.
pub fn filters(mut data: &[u8]) {
    let (n_bits, shift, n_blocks) =
        (small(&mut data) as u32 % 32 + 1, small(&mut data) % 60, small(&mut data) + 1);
    let given: Vec<u64> = keys_in(data).into_iter().map(|key| key >> shift << (shift / 2)).collect();
    let mut keys = given.clone();
    sort_unique(&mut keys);
    let mut expected = given;
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(keys, expected);

    let mut hits = vec![false; keys.len()];
    for n_partitions in [1, 4] {
        let built = fuse::build(&keys, n_bits, n_partitions, 0..n_partitions, 0).expect("unique keys");
        let table = Table::new(&[(&built.table, built.fingerprints.len())], n_bits).expect("what we build");
        Fuse::new(&table, vec![&built.fingerprints]).contains_keys(&keys, &mut hits);
        assert!(hits.iter().all(|hit| *hit));
        hits.fill(false);
    }
    for n_partitions in [1, 3] {
        let built = ribbon::build(&keys, n_bits, n_partitions, 0..n_partitions).expect("unique keys");
        let shards = [(&built.table[..], built.columns.len())];
        let table = ribbon::Table::new(&shards, n_bits).expect("what we build");
        Ribbon::new(&table, vec![&built.columns]).contains_keys(&keys, &mut hits);
        assert!(hits.iter().all(|hit| *hit));
        hits.fill(false);
    }
    let mut bytes = vec![0; n_blocks * BLOCK_BYTES];
    assert!(bloom::insert(&mut bytes, &keys, 0, n_blocks));
    let pieces: Vec<&[u8]> = bytes.chunks((n_blocks / 3 + 1) * BLOCK_BYTES).collect();
    for filter in [Bloom::new(&bytes), Bloom::from_pieces(&pieces)] {
        filter.expect("whole blocks").contains_keys(&keys, &mut hits);
        assert!(hits.iter().all(|hit| *hit));
        hits.fill(false);
    }
}

/// Follow any hits, and scan any text for what it stores itself: chains are the maximal runs of hits.
pub fn chains(mut data: &[u8]) {
    let (stride, width) = (small(&mut data) % 40 + 1, small(&mut data) % 70 + 1);
    let how = small(&mut data);
    let keys: Vec<u64> = data.iter().map(|byte| u64::from(byte >> 1)).collect();
    let marks: Vec<bool> = data.iter().map(|byte| byte & 1 == 1).collect();
    let mut follower = Follower::new(Sampling::Stride(stride), keys.len(), 0.01);
    follower.follow(&keys, &marks, Offsets::From(0));
    let layer = follower.finish();
    let at = |i: Option<usize>| i.and_then(|i| marks.get(i)).copied().unwrap_or(false);
    let runs: Vec<(usize, usize)> = (0..marks.len())
        .filter(|&window| at(Some(window)) && !at(window.checked_sub(stride)))
        .map(|window| (window, (1..).find(|n| !at(Some(window + n * stride))).expect("an end")))
        .collect();
    let found: Vec<(usize, usize)> =
        layer.chains.iter().map(|chain| (chain.window, chain.n_windows)).collect();
    assert_eq!(found, runs);
    assert_eq!(layer.n_hits, marks.iter().filter(|mark| **mark).count());

    let text = String::from_utf8_lossy(data);
    let unit = [Unit::Char, Unit::Byte, Unit::Word][how / 4 % 3];
    let sampling = [Sampling::Stride(stride), Sampling::Minimizer(stride)][how / 12 % 2];
    let width = width.max(sampling.least_width(unit));
    let spec = Spec { normalizer: NORMALIZERS[how % 4], windows: Windows { width, unit }, sampling };
    let mut scratch = Scratch::default();
    let mut stored = Vec::new();
    document_keys(&text, &spec, DocumentKeys::All, &mut scratch, &mut stored);
    let mut bytes = vec![0; 64 * BLOCK_BYTES];
    assert!(bloom::insert(&mut bytes, &stored, 0, 64));
    let bloom = Bloom::new(&bytes).expect("whole blocks");
    let answer = scan(&text, &spec, &[(&bloom, 0.01)], &mut scratch);
    assert!(answer.layers[0].document, "a document holds itself");
    let n_chars = text.chars().count();
    for chain in &answer.layers[0].chains {
        assert!(chain.start < chain.end && chain.end <= n_chars && chain.n_distinct <= chain.n_windows);
    }
    let hits = hits(&text, &spec, &[(&bloom, 0.01)], &mut scratch).remove(0);
    assert_eq!(hits.len(), answer.n_windows);
    assert_eq!(hits.iter().filter(|hit| **hit).count(), answer.layers[0].n_hits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Inputs made for each target.
    const N_CASES: u64 = 3000;

    /// Pieces that random bytes hardly ever make.
    const PIECES: [&[u8]; 12] = [
        "e\u{301}".as_bytes(),
        "\u{345}\u{301}".as_bytes(),
        "\u{fb03}\u{fdfa}".as_bytes(),
        "\u{1100}\u{1161}\u{11a8}".as_bytes(),
        "\u{ad}\u{200b}\u{3000} \r\n".as_bytes(),
        "\u{1d173}天地\u{1f525}".as_bytes(),
        b"the same words, the same words, ",
        &[0; 64],
        &[255; 40],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[16, 0, 0, 0, 32, 0, 0, 0],
        b"ABCdef-_ 123",
    ];

    /// The finaliser of SplitMix64.
    fn hash(i: u64) -> u64 {
        let mut h = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        h ^ (h >> 31)
    }

    fn made(case: u64) -> Vec<u8> {
        let mut input = Vec::new();
        for i in 0..hash(case) % 40 {
            let choice = hash(case << 8 | i);
            match choice % 4 {
                0 => input.extend(choice.to_le_bytes()),
                1 => input.push((choice >> 8) as u8),
                _ => input.extend(PIECES[(choice >> 8) as usize % PIECES.len()]),
            }
        }
        input
    }

    fn check(name: &str, target: fn(&[u8])) {
        target(&[]);
        (0..N_CASES).for_each(|case| target(&made(case)));
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        for entry in std::fs::read_dir(seeds).expect("there are seeds") {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
        }
    }

    #[test]
    fn arbitrary_texts_are_normalised_as_documented() {
        check("normalizers", normalizers);
    }

    #[test]
    fn arbitrary_memory_is_refused_or_read_within_bounds() {
        check("headers", headers);
    }

    #[test]
    fn arbitrary_keys_are_found_again() {
        check("filters", filters);
    }

    #[test]
    fn arbitrary_hits_make_maximal_chains() {
        check("chains", chains);
    }
}
