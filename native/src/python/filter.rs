//! `Filter`: a filter of any kind in buffers.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyBytes;

use super::buffers::View;
use super::builders::pybloom_layout;
use super::keys::copied;
use super::signals::detached;
use crate::filters::bloom::{BLOCK_BYTES, Bloom};
use crate::filters::filter::{Batch, Filter};
use crate::filters::pybloom::{Layout, PyBloom};
use crate::filters::redisbloom::{Hash, Link, RedisBloom};
use crate::filters::ribbon::{Ribbon, Table};
use crate::interrupt::tick;
use crate::windows::keys::window_key;

/// A filter of any kind in buffers, usually mapped files.
#[pyclass(frozen, module = "portrait._native", name = "Filter")]
pub struct PyFilter(Kind);

/// A filter's buffers, checked by the constructors, and what else a look-up needs.
enum Kind {
    Bloom(Vec<View>),
    PyBloom(Layout, View),
    RedisBloom { links: Vec<LinkViews>, hash: Hash },
    Ribbon { table: Table, columns: Vec<View> },
}

/// Windows looked up between two looks at the clock.
const BATCH: usize = 1 << 12;

const CHECKED: &str = "the constructor has checked the buffers";

/// A link of a RedisBloom filter: its memory in pieces, its bits in use, its bits per window.
struct LinkViews {
    pieces: Vec<View>,
    n_bits: u64,
    n_hashes: u32,
}

impl LinkViews {
    fn lend(&self) -> Option<Link<'_>> {
        Link::new(self.pieces.iter().map(View::bytes).collect(), self.n_bits, self.n_hashes)
    }
}

impl PyFilter {
    /// Return the filter over the borrowed buffers.
    pub fn lend(&self) -> Box<dyn Filter + '_> {
        match &self.0 {
            Kind::Bloom(views) => Box::new(bloom_of(views).expect(CHECKED)),
            Kind::PyBloom(layout, view) => Box::new(PyBloom::new(layout, view.bytes()).expect(CHECKED)),
            Kind::RedisBloom { links, hash } => Box::new(redisbloom_of(links, *hash)),
            Kind::Ribbon { table, columns } => Box::new(ribbon_of(table, columns)),
        }
    }

    /// Look windows up, and return a byte for each.
    fn look_up(&self, keys: &[u64], windows: &[&[u8]]) -> Vec<u8> {
        let mut all = vec![false; keys.len()];
        let filter = self.lend();
        for (i, hits) in all.chunks_mut(BATCH).enumerate() {
            let batch = i * BATCH..i * BATCH + hits.len();
            let windows = windows.get(batch.clone()).unwrap_or_default();
            filter.contains(Batch { keys: &keys[batch], windows }, hits);
            tick(32 * BATCH);
        }
        bytes_of_hits(all)
    }
}

/// Return one byte for each hit: 1 for true.
pub fn bytes_of_hits(hits: Vec<bool>) -> Vec<u8> {
    hits.into_iter().map(u8::from).collect()
}

fn bloom_of(views: &[View]) -> Option<Bloom<'_>> {
    match views {
        // No list to allocate: this is done for every text.
        [view] => Bloom::new(view.bytes()),
        _ => Bloom::from_pieces(&views.iter().map(View::bytes).collect::<Vec<_>>()),
    }
}

fn redisbloom_of(links: &[LinkViews], hash: Hash) -> RedisBloom<'_> {
    RedisBloom { links: links.iter().map(|link| link.lend().expect(CHECKED)).collect(), hash }
}

fn ribbon_of<'a>(table: &'a Table, columns: &'a [View]) -> Ribbon<'a> {
    Ribbon::new(table, columns.iter().map(View::bytes).collect())
}

#[pymethods]
impl PyFilter {
    /// Open a split-block Bloom filter: whole blocks of 32 bytes, in buffers of the same size, except that
    /// the last may be smaller.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 passes lists by value")]
    fn bloom(buffers: Vec<Bound<PyAny>>) -> PyResult<Self> {
        let views = buffers.iter().map(View::new).collect::<PyResult<Vec<_>>>()?;
        if bloom_of(&views).is_none() {
            let sizes: Vec<usize> = views.iter().map(|view| view.bytes().len()).collect();
            return Err(PyValueError::new_err(match sizes[..] {
                [n_bytes] => format!("{n_bytes} bytes are not whole blocks of {BLOCK_BYTES}"),
                _ => format!(
                    "{sizes:?} bytes are not whole blocks of {BLOCK_BYTES}, \
                     with as many in each buffer except the last"
                ),
            }));
        }
        Ok(Self(Kind::Bloom(views)))
    }

    /// Open a RedisBloom filter. For each link: its bytes in one or several buffers, its bits in use, and
    /// its bits per window. ``wide``: whether windows are hashed with the 64-bit function.
    #[staticmethod]
    fn redisbloom(links: Vec<(Vec<Bound<PyAny>>, u64, u32)>, wide: bool) -> PyResult<Self> {
        let hash = if wide { Hash::Murmur64 } else { Hash::Murmur32 };
        let view = |(pieces, n_bits, n_hashes): &(Vec<Bound<PyAny>>, _, _)| {
            let pieces = pieces.iter().map(View::new).collect::<PyResult<_>>()?;
            let link = LinkViews { pieces, n_bits: *n_bits, n_hashes: *n_hashes };
            match link.lend() {
                Some(_) => Ok(link),
                None => Err(PyValueError::new_err(format!(
                    "the buffers do not make a link of {n_bits} bits, {n_hashes} per window"
                ))),
            }
        };
        let links = links.iter().map(view).collect::<PyResult<Vec<_>>>()?;
        Ok(Self(Kind::RedisBloom { links, hash }))
    }

    /// Open a ribbon filter: for each shard, in the order of the keys, its columns and its table.
    #[staticmethod]
    fn ribbon(shards: Vec<(Bound<PyAny>, Bound<PyAny>)>, n_columns: u32) -> PyResult<Self> {
        let columns = shards.iter().map(|(columns, _)| View::new(columns)).collect::<PyResult<Vec<_>>>()?;
        let tables = shards.iter().map(|(_, table)| View::new(table)).collect::<PyResult<Vec<_>>>()?;
        let parts: Vec<(&[u8], usize)> =
            tables.iter().map(View::bytes).zip(columns.iter().map(|data| data.bytes().len())).collect();
        let table = Table::new(&parts, n_columns).map_err(PyValueError::new_err)?;
        Ok(Self(Kind::Ribbon { table, columns }))
    }

    /// Open a pybloom-live filter: its bits, without the file's header.
    #[staticmethod]
    fn pybloom(buffer: &Bound<PyAny>, n_slices: usize, slice_bits: u64) -> PyResult<Self> {
        let layout = pybloom_layout(n_slices, slice_bits)?;
        let view = View::new(buffer)?;
        if PyBloom::new(&layout, view.bytes()).is_none() {
            return Err(PyValueError::new_err(format!(
                "{} bytes are not {n_slices} slices of {slice_bits} bits",
                view.bytes().len()
            )));
        }
        Ok(Self(Kind::PyBloom(layout, view)))
    }

    /// Return one byte per key: 1 if the filter contains it.
    fn contains<'py>(&self, py: Python<'py>, keys: &Bound<PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        if self.lend().reads_windows() {
            return Err(PyValueError::new_err("the filter has a hash of its own: look up windows, not keys"));
        }
        let keys = copied(py, View::new(keys)?.keys()?)?;
        Ok(PyBytes::new(py, &detached(py, || self.look_up(&keys, &[]))?))
    }

    /// Return one byte per window, each a piece of normalised text: 1 if the filter contains it.
    fn contains_windows<'py>(
        &self,
        py: Python<'py>,
        windows: Vec<PyBackedStr>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let hits = detached(py, || {
            let windows: Vec<&[u8]> = windows.iter().map(|window| window.as_bytes()).collect();
            let key = |window: &&[u8]| {
                tick(8 + window.len() / 8);
                window_key(window)
            };
            let keys: Vec<u64> = windows.iter().map(key).collect();
            self.look_up(&keys, &windows)
        })?;
        Ok(PyBytes::new(py, &hits))
    }

    /// Return the false-positive rate, computed from the filter's bits.
    fn rate(&self, py: Python) -> PyResult<f64> {
        detached(py, || match &self.0 {
            Kind::Bloom(views) => bloom_of(views).expect(CHECKED).rate(),
            Kind::PyBloom(layout, view) => PyBloom::new(layout, view.bytes()).expect(CHECKED).rate(),
            Kind::RedisBloom { links, hash } => redisbloom_of(links, *hash).rate(),
            Kind::Ribbon { table, columns } => ribbon_of(table, columns).rate(),
        })
    }

    /// Return about the rate, for a ribbon filter in time independent of its size; otherwise the rate.
    fn sampled_rate(&self, py: Python) -> PyResult<f64> {
        match &self.0 {
            Kind::Ribbon { table, columns } => detached(py, || ribbon_of(table, columns).sampled_rate()),
            _ => self.rate(py),
        }
    }

    /// Return the share of bits set in each link of a RedisBloom filter; nothing for other kinds.
    fn fills(&self, py: Python) -> PyResult<Vec<f64>> {
        detached(py, || match &self.0 {
            Kind::Bloom(_) | Kind::PyBloom(..) | Kind::Ribbon { .. } => Vec::new(),
            Kind::RedisBloom { links, hash } => {
                redisbloom_of(links, *hash).links.iter().map(Link::fill).collect()
            }
        })
    }
}
