//! The kernel of Portrait: text, windows, keys and filters. No files, no network, no policy.
//!
//! Built without features it is a plain Rust crate; the feature `python` adds the extension module
//! `portrait._native`, all of which is in this file.

pub mod bloom;
pub mod chains;
pub mod compose;
pub mod data_portraits;
pub mod fuse;
pub mod keys;
pub mod loose;
pub mod normalize;
pub mod origins;
pub mod pybloom;
pub mod redisbloom;
pub mod scan;
pub mod sketch;
pub mod solve;
pub mod sort;
pub mod spaces;
pub mod window;
pub mod words;
pub mod writer;

#[cfg(feature = "python")]
#[pyo3::pymodule(name = "_native")]
mod python {
    use std::cell::RefCell;
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use pyo3::buffer::PyUntypedBuffer;
    use pyo3::exceptions::{PyBufferError, PyIndexError, PyMemoryError, PyValueError};
    use pyo3::prelude::*;
    use pyo3::pybacked::PyBackedStr;
    use pyo3::types::PyBytes;
    use pyo3::{create_exception, ffi};

    use crate::bloom::{self, BLOCK_BYTES};
    use crate::chains::{Chain, LayerScan};
    use crate::fuse::{self, Fuse};
    use crate::keys::{Counts, RowError as BadRow, Texts, batch_keys, document_keys};
    use crate::normalize::{Normalizer, Scratch, UNICODE_VERSION};
    use crate::origins::Origins;
    use crate::pybloom;
    use crate::redisbloom::{Hash, Link, RedisBloom};
    use crate::scan::{self, Batch, Filter, Spec};
    use crate::sketch::Sketch;
    use crate::sort;
    use crate::window::{Unit, Windows, window_key};

    create_exception!(
        _native,
        RowError,
        PyValueError,
        "A row of a batch has no usable text: (row, message)."
    );

    thread_local! {
        /// Kept from call to call, so that a short query allocates next to nothing.
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }

    /// Scratch memory larger than this is given back after the call.
    const KEPT_SCRATCH_BYTES: usize = 64 << 20;

    fn with_scratch<T>(f: impl FnOnce(&mut Scratch) -> T) -> T {
        SCRATCH.with_borrow_mut(|scratch| {
            let result = f(scratch);
            scratch.shrink_over(KEPT_SCRATCH_BYTES);
            result
        })
    }

    /// A Python object's memory, held for as long as this value lives.
    struct View(PyUntypedBuffer);

    impl View {
        fn new(object: &Bound<PyAny>) -> PyResult<Self> {
            let buffer = PyUntypedBuffer::get(object)?;
            if !buffer.is_c_contiguous() {
                return Err(PyBufferError::new_err("the buffer is not contiguous"));
            }
            Ok(Self(buffer))
        }

        fn bytes(&self) -> &[u8] {
            let n_bytes = self.0.len_bytes();
            if n_bytes == 0 {
                return &[];
            }
            // SAFETY: the buffer is contiguous, and its exporter keeps it in place while it is
            // held. That nobody writes to it meanwhile is the callers' contract: the library hands
            // over immutable Arrow buffers, read-only maps, bytes, and kernel objects that refuse
            // to change while exported.
            unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast(), n_bytes) }
        }

        fn keys(&self) -> PyResult<Vec<u64>> {
            let (keys, rest) = self.bytes().as_chunks();
            if !rest.is_empty() {
                return Err(PyValueError::new_err("keys are 8 bytes each"));
            }
            Ok(keys.iter().map(|key| u64::from_le_bytes(*key)).collect())
        }
    }

    /// How many buffer exports of an object are alive; while any is, it does not change.
    #[derive(Default)]
    struct Exports(AtomicUsize);

    impl Exports {
        fn check(&self) -> PyResult<()> {
            match self.0.load(Ordering::Acquire) {
                0 => Ok(()),
                _ => Err(PyBufferError::new_err("the object cannot change while its buffer is in use")),
            }
        }

        /// Fill `view` with `bytes`, which belong to `owner`.
        ///
        /// # Safety
        /// `view` is what Python passed to `__getbuffer__`, and `bytes` stay in place until the
        /// matching `release`.
        unsafe fn export(
            &self,
            owner: Bound<PyAny>,
            bytes: &[u8],
            view: *mut ffi::Py_buffer,
            flags: c_int,
        ) -> PyResult<()> {
            // SAFETY: as promised by the caller.
            unsafe { fill_view(owner, bytes, view, flags) }?;
            self.0.fetch_add(1, Ordering::AcqRel);
            Ok(())
        }

        fn release(&self) {
            self.0.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Fill `view` with `bytes`, read-only.
    ///
    /// # Safety
    /// `view` is what Python passed to `__getbuffer__`, and `bytes` belong to `owner`, neither moving
    /// nor changing while the view is alive.
    unsafe fn fill_view(
        owner: Bound<PyAny>,
        bytes: &[u8],
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let pointer = bytes.as_ptr().cast_mut().cast::<c_void>();
        let length = isize::try_from(bytes.len())?;
        // SAFETY: as promised by the caller.
        let status = unsafe { ffi::PyBuffer_FillInfo(view, owner.as_ptr(), pointer, length, 1, flags) };
        if status == 0 { Ok(()) } else { Err(PyErr::fetch(owner.py())) }
    }

    /// Keys as they stand in memory.
    fn key_bytes(keys: &[u64]) -> &[u8] {
        // SAFETY: any initialised u64s are bytes; there are eight in each.
        unsafe { std::slice::from_raw_parts(keys.as_ptr().cast(), size_of_val(keys)) }
    }

    /// How texts become windows.
    #[pyclass(frozen, name = "Windows")]
    struct PyWindows(Spec);

    #[pymethods]
    impl PyWindows {
        #[new]
        fn new(normalizer: &str, unit: &str, width: usize, stride: usize) -> PyResult<Self> {
            let unknown = |what: &str, name: &str| PyValueError::new_err(format!("unknown {what} {name:?}"));
            let normalizer =
                Normalizer::from_name(normalizer).ok_or_else(|| unknown("normalizer", normalizer))?;
            let unit = Unit::from_name(unit).ok_or_else(|| unknown("unit", unit))?;
            if width == 0 || stride == 0 {
                return Err(PyValueError::new_err("width and stride are at least 1"));
            }
            Ok(Self(Spec { normalizer, windows: Windows { width, stride, unit } }))
        }

        /// The normalised text and the origin of each of its characters.
        fn normalize(&self, py: Python, text: &str) -> (String, Vec<(usize, usize)>) {
            py.detach(|| {
                with_scratch(|scratch| {
                    let mut origins = Origins::default();
                    let normalized = self.0.normalizer.apply(text, scratch, &mut origins);
                    let spans = (0..normalized.n_chars).map(|i| origins.of(i)).collect();
                    (String::from_utf8_lossy(normalized.bytes).into_owned(), spans)
                })
            })
        }
    }

    /// The buffers and numbers of an Arrow column of texts.
    struct Column {
        offsets: View,
        offset_bytes: usize,
        data: View,
        validity: Option<View>,
        first: usize,
        n_rows: usize,
    }

    impl Column {
        fn new(
            offsets: &Bound<PyAny>,
            offset_bytes: usize,
            data: &Bound<PyAny>,
            validity: Option<&Bound<PyAny>>,
            first: usize,
            n_rows: usize,
        ) -> PyResult<Self> {
            if offset_bytes != 4 && offset_bytes != 8 {
                return Err(PyValueError::new_err("offsets are 4 or 8 bytes"));
            }
            let (offsets, data) = (View::new(offsets)?, View::new(data)?);
            Ok(Self {
                offsets,
                offset_bytes,
                data,
                validity: validity.map(View::new).transpose()?,
                first,
                n_rows,
            })
        }

        /// What `f` makes of the texts, without the interpreter's lock.
        fn read(
            &self,
            py: Python,
            f: impl FnOnce(&Texts, &mut Scratch) -> Result<Counts, BadRow> + Send,
        ) -> PyResult<(u64, u64, u64, u64)> {
            let texts = Texts {
                offsets: self.offsets.bytes(),
                offset_bytes: self.offset_bytes,
                data: self.data.bytes(),
                validity: self.validity.as_ref().map(View::bytes),
                first: self.first,
                n_rows: self.n_rows,
            };
            let counts = py
                .detach(|| with_scratch(|scratch| f(&texts, scratch)))
                .map_err(|error| RowError::new_err((error.row, error.message)))?;
            Ok((counts.n_documents, counts.n_short, counts.n_windows, counts.n_bytes))
        }
    }

    /// Zeroed memory for a filter, or the error that there is none.
    fn zeroed(n_bytes: usize) -> PyResult<Vec<u8>> {
        let mut bytes = Vec::new();
        let too_large = |_| PyMemoryError::new_err(format!("no memory for a filter of {n_bytes} bytes"));
        bytes.try_reserve_exact(n_bytes).map_err(too_large)?;
        bytes.resize(n_bytes, 0);
        Ok(bytes)
    }

    /// A growing list of 64-bit keys.
    #[pyclass(name = "Keys")]
    struct PyKeys {
        keys: Vec<u64>,
        documents: bool,
        exports: Exports,
    }

    #[pymethods]
    impl PyKeys {
        #[new]
        #[pyo3(signature = (*, documents = true))]
        fn new(documents: bool) -> Self {
            Self { keys: Vec::new(), documents, exports: Exports::default() }
        }

        fn __len__(&self) -> usize {
            self.keys.len()
        }

        /// Append one document's keys.
        fn add_text(
            &mut self,
            py: Python,
            windows: &PyWindows,
            text: &str,
        ) -> PyResult<(u64, u64, u64, u64)> {
            self.exports.check()?;
            let (keys, documents) = (&mut self.keys, self.documents);
            let counts = py
                .detach(|| with_scratch(|scratch| document_keys(text, &windows.0, documents, scratch, keys)));
            Ok((counts.n_documents, counts.n_short, counts.n_windows, counts.n_bytes))
        }

        /// Append the keys of an Arrow column's rows that are not null.
        #[pyo3(signature = (windows, offsets, offset_bytes, data, validity, first, n_rows))]
        #[expect(clippy::too_many_arguments, reason = "an Arrow array is this many buffers and numbers")]
        fn add_batch(
            &mut self,
            py: Python,
            windows: &PyWindows,
            offsets: &Bound<PyAny>,
            offset_bytes: usize,
            data: &Bound<PyAny>,
            validity: Option<&Bound<PyAny>>,
            first: usize,
            n_rows: usize,
        ) -> PyResult<(u64, u64, u64, u64)> {
            self.exports.check()?;
            let column = Column::new(offsets, offset_bytes, data, validity, first, n_rows)?;
            let (keys, documents) = (&mut self.keys, self.documents);
            column.read(py, |texts, scratch| batch_keys(texts, &windows.0, documents, scratch, keys))
        }

        /// Forget all keys, keeping the memory.
        fn clear(&mut self) -> PyResult<()> {
            self.exports.check()?;
            self.keys.clear();
            Ok(())
        }

        /// Sort the keys and drop duplicates; returns how many are left.
        fn sort_unique(&mut self, py: Python) -> PyResult<usize> {
            self.exports.check()?;
            py.detach(|| sort::sort_unique(&mut self.keys));
            Ok(self.keys.len())
        }

        /// Append those of a buffer's keys that are `first` to `last`; returns how many these are.
        #[pyo3(signature = (keys, first = 0, last = u64::MAX))]
        fn extend(&mut self, py: Python, keys: &Bound<PyAny>, first: u64, last: u64) -> PyResult<usize> {
            self.exports.check()?;
            let view = View::new(keys)?;
            let (chunks, rest) = view.bytes().as_chunks();
            if !rest.is_empty() {
                return Err(PyValueError::new_err("keys are 8 bytes each"));
            }
            let before = self.keys.len();
            let own = &mut self.keys;
            py.detach(|| {
                let keys = chunks.iter().map(|key| u64::from_le_bytes(*key));
                if (first, last) == (0, u64::MAX) {
                    own.extend(keys);
                } else {
                    own.extend(keys.filter(|key| (first..=last).contains(key)));
                }
            });
            Ok(self.keys.len() - before)
        }

        /// The keys ordered by partition, and how many are in each.
        fn partitioned(&self, py: Python, n_partitions: usize) -> PyResult<(PyMemory, Vec<usize>)> {
            if n_partitions == 0 {
                return Err(PyValueError::new_err("there is at least one partition"));
            }
            let (keys, counts) = py.detach(|| sort::partitioned(&self.keys, n_partitions));
            Ok((PyMemory::of_keys(keys), counts))
        }

        unsafe fn __getbuffer__(slf: Bound<Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
            let this = slf.borrow();
            // SAFETY: `keys` neither moves nor changes while `exports` is not zero.
            unsafe { this.exports.export(slf.clone().into_any(), key_bytes(&this.keys), view, flags) }
        }

        unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
            self.exports.release();
        }
    }

    /// The smallest different keys, of which the number of all is estimated.
    #[pyclass(name = "Sketch")]
    struct PySketch(Sketch);

    #[pymethods]
    impl PySketch {
        #[new]
        fn new(k: usize) -> PyResult<Self> {
            if k == 0 {
                return Err(PyValueError::new_err("a sketch holds at least one key"));
            }
            Ok(Self(Sketch::new(k)))
        }

        /// Add keys, from a `Keys` or any buffer of little-endian 64-bit numbers.
        fn add(&mut self, py: Python, keys: &Bound<PyAny>) -> PyResult<()> {
            let sketch = &mut self.0;
            with_keys(keys, |keys| py.detach(|| sketch.add(keys)))
        }

        /// The smallest keys in ascending order, little-endian: all of them, where there are fewer.
        fn smallest<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
            let sketch = &mut self.0;
            let bytes: Vec<u8> =
                py.detach(|| sketch.smallest().iter().flat_map(|key| key.to_le_bytes()).collect());
            PyBytes::new(py, &bytes)
        }
    }

    /// What `f` makes of the keys in a `Keys` or any buffer of little-endian 64-bit numbers.
    fn with_keys<T>(keys: &Bound<PyAny>, f: impl FnOnce(&[u64]) -> T) -> PyResult<T> {
        match keys.cast::<PyKeys>() {
            Ok(keys) => Ok(f(&keys.try_borrow()?.keys)),
            Err(_) => Ok(f(&View::new(keys)?.keys()?)),
        }
    }

    /// The bits of a split-block Bloom filter under construction, or those of some of its blocks.
    #[pyclass(name = "BloomBits")]
    struct PyBloomBits {
        bytes: Vec<u8>,
        n_blocks: usize,
        first: usize,
        exports: Exports,
    }

    #[pymethods]
    impl PyBloomBits {
        #[new]
        #[pyo3(signature = (n_blocks, first = 0, after = None))]
        fn new(n_blocks: usize, first: usize, after: Option<usize>) -> PyResult<Self> {
            let after = after.unwrap_or(n_blocks);
            if first >= after || after > n_blocks {
                return Err(PyValueError::new_err("a filter has at least one block, and no others"));
            }
            let too_large = || PyMemoryError::new_err(format!("no memory for {} blocks", after - first));
            let n_bytes = (after - first).checked_mul(BLOCK_BYTES).ok_or_else(too_large)?;
            Ok(Self { bytes: zeroed(n_bytes)?, n_blocks, first, exports: Exports::default() })
        }

        /// Add keys, from a `Keys` or any buffer of little-endian 64-bit numbers.
        fn insert(&mut self, py: Python, keys: &Bound<PyAny>) -> PyResult<()> {
            self.exports.check()?;
            let (n_blocks, first, bytes) = (self.n_blocks, self.first, &mut self.bytes);
            let outside = || PyValueError::new_err("a key belongs to none of these blocks");
            with_keys(keys, |keys| {
                py.detach(|| bloom::insert(bytes, keys, first, n_blocks)).then_some(()).ok_or_else(outside)
            })?
        }

        unsafe fn __getbuffer__(slf: Bound<Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
            let this = slf.borrow();
            // SAFETY: `bytes` neither moves nor changes while `exports` is not zero.
            unsafe { this.exports.export(slf.clone().into_any(), &this.bytes, view, flags) }
        }

        unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
            self.exports.release();
        }
    }

    /// Memory that the kernel has filled; it does not change any more.
    #[pyclass(frozen, name = "Memory")]
    struct PyMemory(Filled);

    enum Filled {
        Bytes(Vec<u8>),
        Keys(Vec<u64>),
    }

    impl PyMemory {
        fn of_bytes(bytes: Vec<u8>) -> Self {
            Self(Filled::Bytes(bytes))
        }

        fn of_keys(keys: Vec<u64>) -> Self {
            Self(Filled::Keys(keys))
        }

        fn bytes(&self) -> &[u8] {
            match &self.0 {
                Filled::Bytes(bytes) => bytes,
                Filled::Keys(keys) => key_bytes(keys),
            }
        }
    }

    #[pymethods]
    impl PyMemory {
        unsafe fn __getbuffer__(slf: Bound<Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
            // SAFETY: the bytes belong to `slf`, which the view keeps alive, and are never written.
            unsafe { fill_view(slf.clone().into_any(), slf.get().bytes(), view, flags) }
        }
    }

    /// A binary fuse filter of keys that are sorted and unique, or the partitions `first` to `after` − 1
    /// of one: its table and fingerprints. The table counts bytes from the first of these partitions.
    #[pyfunction]
    #[pyo3(signature = (keys, fingerprint_bits, n_partitions, first = 0, after = None))]
    fn build_fuse(
        py: Python,
        keys: &Bound<PyAny>,
        fingerprint_bits: u32,
        n_partitions: usize,
        first: usize,
        after: Option<usize>,
    ) -> PyResult<(PyMemory, PyMemory)> {
        let partitions = first..after.unwrap_or(n_partitions);
        let fits = !partitions.is_empty() && partitions.end <= n_partitions;
        if !(1..=fuse::MAX_BITS).contains(&fingerprint_bits) || !n_partitions.is_power_of_two() || !fits {
            return Err(PyValueError::new_err("fingerprint bits or partitions out of range"));
        }
        let built = with_keys(keys, |keys| {
            py.detach(|| fuse::build(keys, fingerprint_bits, n_partitions, partitions, 0))
        })?;
        let built = built.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok((PyMemory::of_bytes(built.table), PyMemory::of_bytes(built.fingerprints)))
    }

    /// How many partitions a binary fuse filter of so many keys has: a power of two.
    #[pyfunction]
    fn fuse_partitions(n_keys: u64) -> u64 {
        fuse::n_partitions(n_keys)
    }

    fn pybloom_layout(n_slices: usize, slice_bits: u64) -> PyResult<pybloom::Layout> {
        pybloom::Layout::new(n_slices, slice_bits).ok_or_else(|| {
            PyValueError::new_err(format!("{n_slices} slices of {slice_bits} bits are no filter"))
        })
    }

    /// The bits of a pybloom-live filter under construction.
    #[pyclass(name = "PyBloomBits")]
    struct PyPyBloomBits {
        layout: pybloom::Layout,
        bits: Vec<u8>,
        exports: Exports,
    }

    #[pymethods]
    impl PyPyBloomBits {
        #[new]
        fn new(n_slices: usize, slice_bits: u64) -> PyResult<Self> {
            let layout = pybloom_layout(n_slices, slice_bits)?;
            let bits = zeroed(layout.n_bytes())?;
            Ok(Self { layout, bits, exports: Exports::default() })
        }

        /// Add the stored windows of an Arrow column's rows that are not null.
        #[pyo3(signature = (windows, offsets, offset_bytes, data, validity, first, n_rows))]
        #[expect(clippy::too_many_arguments, reason = "an Arrow array is this many buffers and numbers")]
        fn add_batch(
            &mut self,
            py: Python,
            windows: &PyWindows,
            offsets: &Bound<PyAny>,
            offset_bytes: usize,
            data: &Bound<PyAny>,
            validity: Option<&Bound<PyAny>>,
            first: usize,
            n_rows: usize,
        ) -> PyResult<(u64, u64, u64, u64)> {
            self.exports.check()?;
            let column = Column::new(offsets, offset_bytes, data, validity, first, n_rows)?;
            let (layout, bits, spec) = (&self.layout, &mut self.bits, &windows.0);
            column.read(py, |texts, scratch| {
                texts.for_each(|text| pybloom::insert_document(layout, bits, text, spec, scratch))
            })
        }

        unsafe fn __getbuffer__(slf: Bound<Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
            let this = slf.borrow();
            // SAFETY: `bits` neither move nor change while `exports` is not zero.
            unsafe { this.exports.export(slf.clone().into_any(), &this.bits, view, flags) }
        }

        unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
            self.exports.release();
        }
    }

    /// A filter of any kind in buffers, usually mapped files.
    #[pyclass(frozen, name = "Filter")]
    struct PyFilter(Kind);

    /// A filter's buffers, checked when they were taken, and what is needed to ask them.
    enum Kind {
        Bloom(Vec<View>),
        Fuse { table: fuse::Table, fingerprints: Vec<View> },
        PyBloom(pybloom::Layout, View),
        RedisBloom { links: Vec<LinkViews>, hash: Hash },
    }

    /// A link of a RedisBloom filter: its memory in pieces, bits in use, bits for each window.
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
        /// The filter over the borrowed buffers.
        fn lend(&self) -> Box<dyn Filter + '_> {
            match &self.0 {
                Kind::Bloom(views) => Box::new(bloom_of(views).expect("checked when it was made")),
                Kind::Fuse { table, fingerprints } => {
                    Box::new(Fuse::new(table, fingerprints.iter().map(View::bytes).collect()))
                }
                Kind::PyBloom(layout, view) => Box::new(pybloom_of(layout, view)),
                Kind::RedisBloom { links, hash } => Box::new(redisbloom_of(links, *hash)),
            }
        }
    }

    fn bloom_of(views: &[View]) -> Option<bloom::Bloom<'_>> {
        match views {
            // No list to allocate: this is done for every text.
            [view] => bloom::Bloom::new(view.bytes()),
            _ => bloom::Bloom::from_pieces(&views.iter().map(View::bytes).collect::<Vec<_>>()),
        }
    }

    fn redisbloom_of(links: &[LinkViews], hash: Hash) -> RedisBloom<'_> {
        let links = links.iter().map(|link| link.lend().expect("checked when it was made"));
        RedisBloom { links: links.collect(), hash }
    }

    fn pybloom_of<'a>(layout: &'a pybloom::Layout, view: &'a View) -> pybloom::PyBloom<'a> {
        pybloom::PyBloom::new(layout, view.bytes()).expect("checked when it was made")
    }

    #[pymethods]
    impl PyFilter {
        /// A split-block Bloom filter: whole blocks of 32 bytes, in buffers of one size but for the
        /// last, which may be smaller.
        #[staticmethod]
        #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands lists over by value")]
        fn bloom(buffers: Vec<Bound<PyAny>>) -> PyResult<Self> {
            let views = buffers.iter().map(View::new).collect::<PyResult<Vec<_>>>()?;
            if bloom_of(&views).is_none() {
                let sizes: Vec<usize> = views.iter().map(|view| view.bytes().len()).collect();
                return Err(PyValueError::new_err(match sizes[..] {
                    [n_bytes] => format!("{n_bytes} bytes are not whole blocks of {BLOCK_BYTES}"),
                    _ => format!(
                        "{sizes:?} bytes are not whole blocks of {BLOCK_BYTES}, as many in each piece but the last"
                    ),
                }));
            }
            Ok(Self(Kind::Bloom(views)))
        }

        /// A filter of RedisBloom. For each link: its bytes in one or several buffers, the bits in
        /// use, and how many of them are a window's. `wide`: hashed with the 64-bit function.
        #[staticmethod]
        fn redisbloom(links: Vec<(Vec<Bound<PyAny>>, u64, u32)>, wide: bool) -> PyResult<Self> {
            let hash = if wide { Hash::Murmur64 } else { Hash::Murmur32 };
            let view = |(pieces, n_bits, n_hashes): &(Vec<Bound<PyAny>>, _, _)| {
                let pieces = pieces.iter().map(View::new).collect::<PyResult<_>>()?;
                let link = LinkViews { pieces, n_bits: *n_bits, n_hashes: *n_hashes };
                let broken = || format!("no link has {n_bits} bits, {n_hashes} a window, in these buffers");
                match link.lend() {
                    Some(_) => Ok(link),
                    None => Err(PyValueError::new_err(broken())),
                }
            };
            let links = links.iter().map(view).collect::<PyResult<Vec<_>>>()?;
            Ok(Self(Kind::RedisBloom { links, hash }))
        }

        /// A binary fuse filter: for each shard, in the order of the keys, its table and its
        /// fingerprints of so many bits.
        #[staticmethod]
        fn fuse(shards: Vec<(Bound<PyAny>, Bound<PyAny>)>, fingerprint_bits: u32) -> PyResult<Self> {
            let tables = shards.iter().map(|(table, _)| View::new(table)).collect::<PyResult<Vec<_>>>()?;
            let fingerprints =
                shards.iter().map(|(_, data)| View::new(data)).collect::<PyResult<Vec<_>>>()?;
            let parts: Vec<(&[u8], usize)> = tables
                .iter()
                .map(View::bytes)
                .zip(fingerprints.iter().map(|data| data.bytes().len()))
                .collect();
            let table = fuse::Table::new(&parts, fingerprint_bits).map_err(PyValueError::new_err)?;
            Ok(Self(Kind::Fuse { table, fingerprints }))
        }

        /// A pybloom-live filter: its bits, without the file's header.
        #[staticmethod]
        fn pybloom(buffer: &Bound<PyAny>, n_slices: usize, slice_bits: u64) -> PyResult<Self> {
            let layout = pybloom_layout(n_slices, slice_bits)?;
            let view = View::new(buffer)?;
            if pybloom::PyBloom::new(&layout, view.bytes()).is_none() {
                return Err(PyValueError::new_err(format!(
                    "{} bytes are not {n_slices} slices of {slice_bits} bits",
                    view.bytes().len()
                )));
            }
            Ok(Self(Kind::PyBloom(layout, view)))
        }

        /// One byte per key: 1 where the filter holds it.
        fn contains<'py>(&self, py: Python<'py>, keys: &Bound<PyAny>) -> PyResult<Bound<'py, PyBytes>> {
            if self.lend().reads_windows() {
                return Err(PyValueError::new_err(
                    "the filter has a hash of its own: ask it windows, not keys",
                ));
            }
            let keys = View::new(keys)?.keys()?;
            let hits = py.detach(|| {
                let mut hits = vec![false; keys.len()];
                self.lend().ask(Batch { keys: &keys, windows: &[] }, &mut hits);
                hits.into_iter().map(u8::from).collect::<Vec<u8>>()
            });
            Ok(PyBytes::new(py, &hits))
        }

        /// One byte per window, each a piece of normalised text: 1 where the filter holds it.
        fn contains_windows<'py>(&self, py: Python<'py>, windows: Vec<PyBackedStr>) -> Bound<'py, PyBytes> {
            let hits = py.detach(|| {
                let windows: Vec<&[u8]> = windows.iter().map(|window| window.as_bytes()).collect();
                let keys: Vec<u64> = windows.iter().map(|window| window_key(window)).collect();
                let mut hits = vec![false; keys.len()];
                self.lend().ask(Batch { keys: &keys, windows: &windows }, &mut hits);
                hits.into_iter().map(u8::from).collect::<Vec<u8>>()
            });
            PyBytes::new(py, &hits)
        }

        /// The false-positive rate, read off the filter's bits.
        fn rate(&self, py: Python) -> f64 {
            py.detach(|| match &self.0 {
                Kind::Bloom(views) => bloom_of(views).expect("checked when it was made").rate(),
                Kind::Fuse { table, .. } => table.rate(),
                Kind::PyBloom(layout, view) => pybloom_of(layout, view).rate(),
                Kind::RedisBloom { links, hash } => redisbloom_of(links, *hash).rate(),
            })
        }

        /// The share of bits set in each link of a RedisBloom filter; none for other kinds.
        fn fills(&self, py: Python) -> Vec<f64> {
            py.detach(|| match &self.0 {
                Kind::Bloom(_) | Kind::Fuse { .. } | Kind::PyBloom(..) => Vec::new(),
                Kind::RedisBloom { links, hash } => {
                    redisbloom_of(links, *hash).links.iter().map(Link::fill).collect()
                }
            })
        }
    }

    /// What the filters say of a text.
    #[pyclass(frozen, name = "Scan")]
    struct PyScan(scan::Scan);

    #[pymethods]
    impl PyScan {
        /// The normalised text's length in units.
        #[getter]
        fn n_units(&self) -> usize {
            self.0.n_units
        }

        /// Windows tested.
        #[getter]
        fn n_windows(&self) -> usize {
            self.0.n_windows
        }

        /// Per filter: hits, whether the text is a document, windows of the longest chain, different
        /// windows of the chain that has most of them, and the stretch most like a copy with edits:
        /// (window, windows, hits, score, start, end).
        fn layers(&self) -> Vec<(usize, bool, usize, usize, Option<PyStretch>)> {
            let of_layer = |layer: &LayerScan| {
                let most = |n: fn(&Chain) -> usize| layer.chains.iter().map(n).max().unwrap_or(0);
                let stretch = layer
                    .approximate
                    .map(|at| (at.window, at.n_windows, at.n_hits, at.score, at.start, at.end));
                let longest = most(|chain| chain.n_windows);
                (layer.n_hits, layer.document, longest, most(|chain| chain.n_distinct), stretch)
            };
            self.0.layers.iter().map(of_layer).collect()
        }

        /// A filter's chains of so many different windows or more: (window, windows, different ones,
        /// start, end).
        fn chains(&self, layer: usize, min_distinct: usize) -> PyResult<Vec<PyChain>> {
            let layer = self.0.layers.get(layer).ok_or_else(|| PyIndexError::new_err("no such layer"))?;
            let chains = layer.chains.iter().filter(|chain| chain.n_distinct >= min_distinct);
            let plain = |at: &Chain| (at.window, at.n_windows, at.n_distinct, at.start, at.end);
            Ok(chains.map(plain).collect())
        }
    }

    type PyChain = (usize, usize, usize, usize, usize);
    type PyStretch = (usize, usize, usize, f64, usize, usize);

    /// Asks all windows of a text of several filters in one pass.
    #[pyclass(frozen, name = "Scanner")]
    struct PyScanner {
        spec: Spec,
        filters: Vec<(Py<PyFilter>, f64)>,
    }

    impl PyScanner {
        /// Lends the filters, each with its false-positive rate.
        fn with_filters<T>(&self, f: impl FnOnce(&[(&dyn Filter, f64)]) -> T) -> T {
            let lent: Vec<(Box<dyn Filter>, f64)> =
                self.filters.iter().map(|(filter, rate)| (filter.get().lend(), *rate)).collect();
            let filters: Vec<(&dyn Filter, f64)> =
                lent.iter().map(|(filter, rate)| (&**filter, *rate)).collect();
            f(&filters)
        }
    }

    #[pymethods]
    impl PyScanner {
        /// Each filter comes with its false-positive rate.
        #[new]
        fn new(windows: &PyWindows, filters: Vec<(Py<PyFilter>, f64)>) -> Self {
            Self { spec: windows.0, filters }
        }

        /// What the filters say of a text.
        fn scan(&self, py: Python, text: &str) -> PyScan {
            PyScan(py.detach(|| {
                self.with_filters(|filters| {
                    with_scratch(|scratch| scan::scan(text, &self.spec, filters, scratch))
                })
            }))
        }

        /// For each filter, a byte per window: 1 where the filter holds it.
        fn hits<'py>(&self, py: Python<'py>, text: &str) -> Vec<Bound<'py, PyBytes>> {
            let all = py.detach(|| {
                self.with_filters(|filters| {
                    with_scratch(|scratch| scan::hits(text, &self.spec, filters, scratch))
                })
            });
            let bytes = |hits: Vec<bool>| hits.into_iter().map(u8::from).collect::<Vec<u8>>();
            all.into_iter().map(|hits| PyBytes::new(py, &bytes(hits))).collect()
        }
    }

    /// The Unicode version the normalisers follow, as "major.minor.patch".
    #[pyfunction]
    fn unicode_version() -> String {
        let (major, minor, patch) = UNICODE_VERSION;
        format!("{major}.{minor}.{patch}")
    }

    #[pymodule_init]
    fn init(module: &Bound<PyModule>) -> PyResult<()> {
        // Classes and functions are exported by standing here; an exception type is not.
        module.add("RowError", module.py().get_type::<RowError>())
    }
}
