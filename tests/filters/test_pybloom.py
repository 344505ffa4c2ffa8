"""pybloom-live's filter: the same bits, sizes and files as the package's, and layers of a bundle."""

from __future__ import annotations

import hashlib
import io
import json
import math
import random
import struct
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from pybloom_live import BloomFilter
from support import oracle
from support.forge import change_manifest, replace, shard_path
from support.progress_callbacks import ActionAtFinish
from support.pybloom_files import TEXT, WINDOWS, build, documents, saved, stored_windows, write_corpus

import portrait
from portrait import _native
from portrait.corpus.shards import Batch
from portrait.filters import pybloom
from portrait.portraits import pybloom as live
from portrait.sizing import pybloom_slices

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents of :mod:`support.pybloom_files` as JSON Lines."""
    return write_corpus(tmp_path_factory.mktemp("pybloom") / "corpus.jsonl")


SPEC = portrait.WindowSpec(width=8, sampling=portrait.Stride(8), normalizer="none")


#: Numbers of slices and bits in each, on both sides of every size at which the package changes its hash
#: function or the width of the numbers it takes from a digest.
LAYOUTS = [
    (n_slices, slice_bits)
    for slice_bits, slices in {
        7: (1, 8, 9, 10, 11, 16, 17, 24, 25, 32, 33, 40),
        (1 << 15) - 1: (7, 8, 9, 10, 11, 16, 17, 24, 25, 32, 33),
        1 << 15: (1, 4, 5, 6, 8, 9, 12, 13, 16, 17, 33),
        65537: (7, 10),
    }.items()
    for n_slices in slices
]


def package_filter(n_slices: int, slice_bits: int) -> Any:
    """Return an empty filter of the package with this layout."""
    rate = 0.75 * 0.5 ** (n_slices - 1)
    capacity = int(slice_bits * n_slices * math.log(2) ** 2 / -math.log(rate))
    bloom = BloomFilter(max(1, capacity), rate)
    header = struct.pack("<dQQQQ", rate, n_slices, slice_bits, max(1, capacity), 0)
    bits = bytes(-(-n_slices * slice_bits // 8))
    bloom = BloomFilter.fromfile(io.BytesIO(header + bits))
    del bloom.bitarray[bloom.num_bits :]
    return bloom


def words(seed: int, n: int) -> list[str]:
    """Return ``n`` windows of eight characters, which have one to four bytes each."""
    dice = random.Random(seed)
    return ["".join(dice.choices("abc éß 京都ю🚢", k=8)) for _ in range(n)]


def kernel_bits(n_slices: int, slice_bits: int, texts: list[str]) -> bytes:
    """Return the bits of a filter of ``texts`` that the kernel writes."""
    bits = _native.PyBloomBits(n_slices, slice_bits)
    windows = _native.Windows("none", "char", 8, "stride", 8)
    validity, offsets, data = pyarrow.array(texts, pyarrow.string()).buffers()
    assert bits.add_batch(windows, offsets, 4, data, validity, 0, len(texts))[2] == len(texts)
    return bytes(bits)


@pytest.mark.parametrize(("n_slices", "slice_bits"), LAYOUTS)
def test_the_bits_and_the_answers_are_the_package_s(n_slices: int, slice_bits: int) -> None:
    stored, probes = words(1, max(2, min(slice_bits // 8, 200))), words(2, 500)
    bloom = package_filter(n_slices, slice_bits)
    for window in stored:
        bloom.add(window, skip_check=True)
    assert kernel_bits(n_slices, slice_bits, stored) == bloom.bitarray.tobytes()
    read = live.from_pybloom(bloom)
    assert read.contains_windows(stored) == b"\x01" * len(stored)
    assert read.contains_windows(probes) == bytes(window in bloom for window in probes)


class Sparse(dict[int, bool]):
    """The bits that are set in a filter too large for memory."""

    def __missing__(self, place: int) -> bool:
        return False


@pytest.mark.parametrize("n_slices", [1, 2, 3, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("slice_bits", [(1 << 31) - 1, 1 << 31])
def test_filters_of_hundreds_of_megabytes_are_read(n_slices: int, slice_bits: int, tmp_path: Path) -> None:
    bloom = BloomFilter(1)
    bloom._setup(0.75 * 0.5 ** (n_slices - 1), n_slices, slice_bits, 1 << 30, 0)
    bloom.bitarray = Sparse()
    stored, probes = words(3, 20), words(4, 20)
    for window in stored:
        bloom.add(window, skip_check=True)
    header = pybloom.Header(bloom.error_rate, n_slices, slice_bits, 1 << 30, len(stored))
    octets: dict[int, int] = {}
    for place in bloom.bitarray:
        octets[place // 8] = octets.get(place // 8, 0) | 1 << place % 8
    path = tmp_path / "large.bloom"
    with path.open("wb") as file:  # a sparse file, which takes little space
        file.write(header.pack())
        for offset, octet in octets.items():
            file.seek(40 + offset)
            file.write(bytes([octet]))
        file.truncate(40 + header.n_bytes)
    read = pybloom.read(path)
    assert read.contains_windows(stored) == b"\x01" * len(stored)
    assert read.contains_windows(probes) == bytes(window in bloom for window in probes)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=20), st.text(max_size=60), st.sampled_from([0.3, 0.01, 1e-6]))
def test_any_text_sets_the_bits_that_it_sets_in_the_package(
    stored: list[str], probe: str, rate: float
) -> None:
    bloom = BloomFilter(50, rate)
    for window in stored:
        bloom.add(window)
    read = live.from_pybloom(bloom)
    assert read.contains_windows([*stored, probe]) == b"\x01" * len(stored) + bytes([probe in bloom])


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 200_000), st.floats(1e-12, 1, exclude_max=True))
def test_sizes_are_the_package_s(capacity: int, rate: float) -> None:
    n_slices, slice_bits = pybloom_slices(capacity, rate)
    if n_slices * slice_bits < 1 << 23:
        bloom = BloomFilter(capacity, rate)
        assert (n_slices, slice_bits) == (bloom.num_slices, bloom.bits_per_slice)


@pytest.mark.parametrize("rate", [2.0**-k for k in range(1, 40)] + [0.999999, 0.1, 0.01, 0.001, 1e-6, 1e-12])
def test_sizes_are_the_package_s_where_logarithms_round(rate: float) -> None:
    bloom = BloomFilter(1000, rate)
    assert pybloom_slices(1000, rate) == (bloom.num_slices, bloom.bits_per_slice)


@pytest.mark.parametrize("rate", [0, 1, math.nan])
def test_a_size_needs_a_rate(rate: float) -> None:
    with pytest.raises(portrait.SpecError, match="between 0 and 1"):
        pybloom_slices(10, rate)


def test_the_rate_computed_from_the_bits_is_the_observed_one() -> None:
    # 65,536 is not a multiple of 30,000: the first 5,536 bits of each slice are looked up more often.
    bloom = package_filter(3, 30_000)
    for window in words(5, 15_000):
        bloom.add(window)
    probes = [f"probe {i}" for i in range(100_000)]
    read = live.from_pybloom(bloom)
    expected = 1.0
    for i in range(3):
        bits = bloom.bitarray[30_000 * i : 30_000 * (i + 1)]
        expected *= (2 * bits.count() + bits[:5_536].count()) / 65_536
    assert read.rate() == pytest.approx(expected, rel=1e-12)
    observed = read.contains_windows(probes).count(1) / len(probes)
    assert abs(observed - expected) < 5 * (expected * (1 - expected) / len(probes)) ** 0.5


@pytest.fixture(params=[0.5, 0.01, 1e-4, 1e-11], ids=str)
def fpr(request: pytest.FixtureRequest) -> float:
    """A false-positive rate, from very high to very low."""
    value: float = request.param
    return value


def test_a_layer_is_the_file_that_the_package_writes(corpus: Path, tmp_path: Path, fpr: float) -> None:
    built = build(corpus, tmp_path / "out", fpr)
    windows = set().union(*(stored_windows(text) for text in documents()[:-1]))
    bloom = BloomFilter(len(windows), fpr)
    for window in windows:
        bloom.add(window, skip_check=True)
    path = shard_path(built.path)
    assert path.name == "main-00001-of-00001.pybloom"
    assert path.read_bytes() == saved(bloom)
    (layer,) = built.manifest.layers
    assert (layer.distinct_keys, layer.documents, layer.short_documents) == (len(windows), 46, 1)
    assert layer.windows == sum(
        len(range(0, len(text) - WINDOWS.width, WINDOWS.sampling.gap)) + 1 for text in documents()[:-1]
    )
    with path.open("rb") as file:
        opened = BloomFilter.fromfile(file)
    assert len(opened) == len(windows)
    assert all(window in opened for window in windows)


def test_windows_of_words_are_stored_as_the_words_joined(corpus: Path, tmp_path: Path) -> None:
    spec = portrait.WindowSpec(5, portrait.Stride(4), "word", "loose")
    built = portrait.build(
        corpus, tmp_path / "out", windows=spec, filter=portrait.FilterSpec("pybloom", 1e-6)
    )
    with shard_path(built.path).open("rb") as file:
        opened = BloomFilter.fromfile(file)
    plain = oracle.Spec(5, 4, "word", "loose")
    for text in documents():
        windows = oracle.all_windows(oracle.normalise(text, "loose")[0], plain)
        words = oracle.units(oracle.normalise(text, "loose")[0], "word")
        assert all(windows[i].decode() in opened for i in oracle.stored_offsets(words, plain))
        assert built.hits(text)["main"] == bytes(window.decode() in opened for window in windows)
    assert built.query(documents()[3].upper()).verdict == "found"


def test_a_portrait_with_a_pybloom_filter_answers(corpus: Path, tmp_path: Path) -> None:
    built = build(corpus, tmp_path / "out")
    quoted = documents()[3][20:260]
    answer = built.query(f"A friend writes that {quoted} and more he did not say.")
    assert answer.verdict == "found"
    assert not built.query(documents()[0]).exact_document
    (layer,) = built.manifest.layers
    assert layer.fpr == built.filter("main").rate()
    hits = built.hits(documents()[0])["main"]
    assert all(hits[i] for i in range(0, len(hits), WINDOWS.sampling.gap))


def test_the_card_names_the_package_s_hash(corpus: Path, tmp_path: Path) -> None:
    assert "pybloom-live" in (build(corpus, tmp_path / "out").path / "README.md").read_text()
    assert "XXH3-64" in (portrait.build(corpus, tmp_path / "plain").path / "README.md").read_text()


def test_the_test_vectors_are_windows_that_are_absent(corpus: Path, tmp_path: Path) -> None:
    built = build(corpus, tmp_path / "out")
    vectors = built.manifest.layers[0].test_vectors
    assert vectors.present == ()
    assert len(vectors.absent) == 16
    bloom = live.to_pybloom(built.filter("main"))
    assert not any(window in bloom for window in vectors.absent)


def test_neither_the_order_of_documents_nor_the_division_into_files_changes_a_byte(
    corpus: Path, tmp_path: Path
) -> None:
    lines = corpus.read_text().splitlines(keepends=True)
    (tmp_path / "a.jsonl").write_text("".join(lines[:20]))
    (tmp_path / "b.jsonl").write_text("".join(reversed(lines[20:])))
    one = build(corpus, tmp_path / "one")
    two = portrait.build(
        [tmp_path / "b.jsonl", tmp_path / "a.jsonl"],
        tmp_path / "two",
        windows=WINDOWS,
        filter=portrait.FilterSpec("pybloom"),
    )
    assert shard_path(one.path).read_bytes() == shard_path(two.path).read_bytes()
    assert one.manifest.id == two.manifest.id


def test_a_corpus_of_short_documents_has_an_empty_filter(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("short")
    built = build(tmp_path / "a.txt", tmp_path / "out")
    assert shard_path(built.path).read_bytes() == saved(BloomFilter(1, 0.01))
    assert built.query(TEXT).verdict == "not_found"


def test_the_command_line_builds_and_queries(corpus: Path, tmp_path: Path) -> None:
    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(Path(sysconfig.get_path("scripts"), "portrait")), *arguments]
        return subprocess.run(command, cwd=tmp_path, input=stdin, capture_output=True, text=True, check=False)

    done = run("build", f"books={corpus}", "-o", "c.portrait", "--filter", "pybloom", "--fpr", "0.001")
    assert done.returncode == 0, done.stderr
    answer = run("query", "c.portrait", documents()[7], "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["verdict"] == "found"
    dice = random.Random(8)
    other = "".join(dice.choices("abcdefgh ", k=400))
    assert run("query", "c.portrait", other).returncode == 1
    assert "pybloom" in run("info", "c.portrait").stdout
    piped = run("build", "-", "-o", "d.portrait", "--filter", "pybloom", stdin=TEXT)
    assert (piped.returncode, piped.stdout) == (2, "")
    assert "standard input" in piped.stderr


def test_a_corpus_that_changes_between_the_passes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT * 3)

    grow = ActionAtFinish(lambda: path.write_text(TEXT * 5))
    with pytest.raises(portrait.CorpusError, match="in the first pass"):
        portrait.build(path, tmp_path / "out", filter=portrait.FilterSpec("pybloom"), progress=grow)
    assert list(tmp_path.iterdir()) == [path]


def test_windows_of_bytes_are_refused(corpus: Path, tmp_path: Path) -> None:
    spec = portrait.WindowSpec(unit="byte")
    with pytest.raises(portrait.SpecError, match="characters"):
        portrait.build(corpus, tmp_path / "out", windows=spec, filter=portrait.FilterSpec("pybloom"))
    with pytest.raises(portrait.SpecError, match="characters"):
        live.PyBloomLayer(live.from_pybloom(BloomFilter(5)), spec)


def test_a_layer_is_one_shard_whatever_its_size(corpus: Path, tmp_path: Path) -> None:
    spec = portrait.FilterSpec("pybloom", 1e-11)
    windows = portrait.WindowSpec(sampling=portrait.Stride(1))
    built = portrait.build(corpus, tmp_path / "out", windows=windows, filter=spec, max_shard_bytes=4096)
    (layer,) = built.manifest.layers
    (shard,) = layer.shards
    assert (shard.first_key, shard.last_key) == ("0" * 16, "f" * 16)
    assert shard.bytes == shard_path(built.path).stat().st_size > 4096
    assert layer.tensors == {"bits": shard.sha256}


def test_an_undamaged_portrait_is_verified(corpus: Path, tmp_path: Path, fpr: float) -> None:
    built = build(corpus, tmp_path / "out", fpr)
    verified = portrait.verify(built.path)
    assert (verified.id, verified.files, verified.unexpected) == (built.manifest.id, 2, ())


def record_file(bundle: Path, data: bytes) -> None:
    """Replace the layer's file, and record the new file in the manifest."""
    path = shard_path(bundle)
    replace(path, data)
    sha256 = hashlib.sha256(data).hexdigest()

    def record(manifest: dict[str, Any]) -> None:
        layer = manifest["layers"][0]
        xxh3 = xxhash.xxh3_128_hexdigest(data)
        layer["shards"][0].update(bytes=len(data), sha256=sha256, xxh3_128=xxh3)
        layer["tensors"] = {"bits": sha256}

    change_manifest(bundle, record)


def set_vectors(*windows: str) -> Callable[[dict[str, Any]], None]:
    """Return a change of a manifest that sets the absent test vectors."""
    return lambda manifest: manifest["layers"][0]["test_vectors"].update(absent=list(windows))


def test_verifying_finds_damage(corpus: Path, tmp_path: Path) -> None:
    built = build(corpus, tmp_path / "out")
    path = shard_path(built.path)
    data = path.read_bytes()

    def refused(match: str) -> None:
        with pytest.raises(portrait.DamagedBundleError, match=match):
            portrait.verify(built.path)

    replace(path, data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    refused("digest is not the recorded one")
    record_file(built.path, data[:40] + bytes(len(data) - 40))
    refused("rate is 0 and not")
    record_file(built.path, data[:40] + b"\xff" * (len(data) - 40))
    refused("holds the test key")
    record_file(built.path, data)
    portrait.verify(built.path)
    change_manifest(built.path, lambda manifest: manifest["layers"][0]["tensors"].update(bits="0" * 64))
    refused("tensors are not those")
    record_file(built.path, data)
    change_manifest(built.path, set_vectors(min(stored_windows(documents()[0]))))
    refused("holds the test key")
    change_manifest(built.path, set_vectors("\ud800"))
    refused("JSON with a lone surrogate in a string")


def test_a_layer_in_one_file_is_not_converted(corpus: Path, tmp_path: Path) -> None:
    built = build(corpus, tmp_path / "out")
    with pytest.raises(portrait.SpecError, match="one file by its format"):
        portrait.convert(built.path, tmp_path / "other")
    assert sorted(tmp_path.iterdir()) == [built.path]


def test_a_bad_row_is_named() -> None:
    builder = pybloom.PyBloomBuilder(SPEC, 10, 0.01)
    broken = Batch(pyarrow.array([b"fine", b"\xff"], pyarrow.binary()), lambda row: f"row {row}", 0)
    with pytest.raises(portrait.CorpusError, match="row 1: not UTF-8"):
        builder.documents.add(broken)


def header(**changes: float) -> Callable[[bytes], bytes]:
    """Return a change of a file that sets some of the numbers in its header."""
    names = ("error_rate", "num_slices", "bits_per_slice", "capacity", "count")

    def change(data: bytes) -> bytes:
        fields: dict[str, Any] = dict(zip(names, struct.unpack_from("<dQQQQ", data), strict=True))
        return struct.pack("<dQQQQ", *(fields | changes).values()) + data[40:]

    return change


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half a header": lambda data: data[:20],
    "only a header": lambda data: data[:40],
    "a byte short": lambda data: data[:-1],
    "a byte long": lambda data: data + b"\0",
    "another format": lambda data: b"\x89PNG\r\n\x1a\n" + data[8:],
    "no slices": header(num_slices=0),
    "one slice more": header(num_slices=8),
    "no bits": header(bits_per_slice=0),
    "another rate": header(error_rate=0.001),
    "no slices of no bits": lambda data: header(num_slices=0, bits_per_slice=0)(data)[:40],
    "huge slices": header(bits_per_slice=2**64 - 1),
    "many slices": header(num_slices=2**64 - 1),
    "many slices of one bit": lambda data: header(num_slices=8 * len(data[40:]), bits_per_slice=1)(data),
    "a product that overflows": header(num_slices=1024, bits_per_slice=2**61),
    "no number": header(error_rate=math.nan),
    "an infinite rate": header(error_rate=math.inf),
    "a rate below nothing": header(error_rate=-0.01),
    "a rate of 0": header(error_rate=0.0),
    "a rate of 1": header(error_rate=1.0),
    "no capacity": header(capacity=0),
    "more keys than fit": header(count=2**64 - 1),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "damaged.bloom"
    bloom = BloomFilter(2000, 0.01)
    path.write_bytes(change(saved(bloom)))
    with pytest.raises(portrait.DamagedBundleError, match=r"damaged\.bloom: "):
        pybloom.read(path)


def file_of(rate: float, n_slices: int, slice_bits: int, capacity: int, count: int) -> memoryview:
    """Return a whole file without keys."""
    made = pybloom.Header(rate, n_slices, slice_bits, capacity, count)
    return memoryview(made.pack() + bytes(made.n_bytes))


@pytest.mark.parametrize(
    "numbers",
    [
        (0.5, 1, 8, 1, 0),
        (0.5, 2, 1, 1, 2),
        (0.01, 6, 9, 5, 6),
        (2.0**-1024, 1024, 3, 1, 1),
    ],
)
def test_a_header_may_have_any_numbers_that_the_package_can_write(
    numbers: tuple[float, int, int, int, int],
) -> None:
    assert pybloom.Header.parse(file_of(*numbers), "a.bloom") == pybloom.Header(*numbers)


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ((0.01, 8, 9, 5, 0), "an error rate of 0.01 does not need 8 slices"),
        ((0.01, 5, 9, 5, 0), "an error rate of 0.01 does not need 5 slices"),
        ((2.0**-1025, 1025, 3, 1, 1), "1,025 slices instead of 1 to 1,024"),
        ((0.5, 0, 8, 1, 0), "0 slices instead of 1 to 1,024"),
        ((0.5, 1, 0, 1, 0), "slices of 0 bits for 1 key"),
        ((0.5, 1, 8, 0, 0), "slices of 8 bits for 0 keys"),
        ((0.5, 1, 8, 7, 9), "the header counts 9 keys, but only 7 fit"),
        ((1.0, 1, 8, 1, 0), "the error rate is 1.0, not between 0 and 1"),
        ((0.0, 1, 8, 1, 0), "the error rate is 0.0, not between 0 and 1"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(numbers: tuple[float, int, int, int, int], what: str) -> None:
    with pytest.raises(portrait.DamagedBundleError) as caught:
        pybloom.Header.parse(file_of(*numbers), "a.bloom")
    assert str(caught.value) == f"a.bloom: {what}: the file is damaged or not pybloom-live's"


def test_a_file_of_another_length_than_its_header_states_is_refused() -> None:
    whole = file_of(0.5, 1, 9, 1, 0)
    for data, what in [
        (whole[:39], "39 bytes are too few for a header of 40"),
        (whole[:41], "1 slice of 9 bits need 2 bytes, but the file has 1"),
        (memoryview(bytes(whole) + b"x"), "1 slice of 9 bits need 2 bytes, but the file has 3"),
    ]:
        with pytest.raises(portrait.DamagedBundleError) as caught:
            pybloom.Header.parse(data, "a.bloom")
        assert str(caught.value) == f"a.bloom: {what}: the file is damaged or not pybloom-live's"


@pytest.mark.parametrize("n_windows", [0, 1, 2, 1000])
def test_the_expected_size_is_that_of_the_package_s_file(n_windows: int) -> None:
    bloom = BloomFilter(max(1, n_windows), 0.001)
    assert pybloom.expected(n_windows, 0.001) == (len(saved(bloom)), 0.001)


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_layer_is_named(change: Callable[[bytes], bytes], corpus: Path, tmp_path: Path) -> None:
    path = shard_path(build(corpus, tmp_path / "out").path)
    replace(path, change(path.read_bytes()))
    size = path.stat().st_size
    change_manifest(tmp_path / "out", lambda manifest: manifest["layers"][0]["shards"][0].update(bytes=size))
    with pytest.raises(portrait.DamagedBundleError, match=path.name):
        portrait.open(tmp_path / "out")


@pytest.mark.parametrize(
    "record", [{"n_slices": 6}, {"slice_bits": 1 << 70}, {"n_slices": "7"}, {"slice_bits": None}, {"more": 1}]
)
def test_a_manifest_that_contradicts_the_file_is_refused(
    record: dict[str, Any], corpus: Path, tmp_path: Path
) -> None:
    path = shard_path(build(corpus, tmp_path / "out").path)
    change_manifest(tmp_path / "out", lambda manifest: manifest["layers"][0]["filter"].update(record))
    with pytest.raises(portrait.DamagedBundleError, match=path.name):
        portrait.open(tmp_path / "out")


def test_a_layer_in_two_files_is_refused(corpus: Path, tmp_path: Path) -> None:
    build(corpus, tmp_path / "out")

    def halve(manifest: dict[str, Any]) -> None:
        (shard,) = manifest["layers"][0]["shards"]
        halves = [shard | {"last_key": "7" + "f" * 15}, shard | {"first_key": "8" + "0" * 15, "file": "x"}]
        manifest["layers"][0]["shards"] = halves

    change_manifest(tmp_path / "out", halve)
    with pytest.raises(portrait.DamagedBundleError, match="2 shards"):
        portrait.open(tmp_path / "out")


def test_a_missing_file_is_named(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(portrait.DamagedBundleError, match="nowhere"):
        pybloom.read(tmp_path / "nowhere")
    with pytest.raises(portrait.DamagedBundleError, match=tmp_path.name):
        pybloom.read(tmp_path)
    shard_path(build(corpus, tmp_path / "out").path).unlink()
    with pytest.raises(portrait.DamagedBundleError, match="missing"):
        portrait.open(tmp_path / "out")
