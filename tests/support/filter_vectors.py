"""Conformance vectors of the filters: look-ups step by step, contents of shards, and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xxhash

from support import oracle, redisbloom_writer, slow_filters

if TYPE_CHECKING:
    from collections.abc import Iterator

Case = dict[str, Any]


def key_text(key: int) -> str:
    """Return a key as in a manifest."""
    return f"{key:016x}"


def some_keys(name: str, n: int) -> list[int]:
    """Return keys that look random, the same for the same name, with the smallest and the largest key."""
    return [0, 2**64 - 1] + [xxhash.xxh3_64_intdigest(f"{name} {i}".encode()) for i in range(n)]


def bloom_cases() -> Iterator[Case]:
    """Yield split-block Bloom filters: each key's block and bits, the bits of all, shards and answers."""
    for n_blocks, per_shard, n_keys in ((1, 1, 6), (3, 2, 30), (7, 3, 100), (8, 8, 40)):
        keys = some_keys(f"bloom {n_blocks}", n_keys)
        bloom = oracle.Bloom(n_blocks)
        for key in keys:
            bloom.insert(key)
        places = []
        for key in keys[:8]:
            only = oracle.Bloom(n_blocks)
            only.insert(key)
            block = key * n_blocks >> 64
            places.append([key_text(key), block, [lane.bit_length() - 1 for lane in only.blocks[block]]])
        yield {
            "filter": {"kind": "bloom", "n_blocks": n_blocks},
            "keys": [*map(key_text, keys)],
            "places": places,
            "shards": shards(bloom, per_shard),
            "rate": bloom.rate(),
            "answers": [
                [key_text(key), bloom.contains(key)] for key in [*keys[:2], *some_keys("absent", 40)[2:]]
            ],
        }


def shards(bloom: oracle.Bloom, per_shard: int) -> list[Case]:
    """Return a Bloom filter's shards of at most so many blocks."""
    result = []
    for first in range(0, bloom.n_blocks, per_shard):
        after = min(first + per_shard, bloom.n_blocks)
        ends = [-(-block * 2**64 // bloom.n_blocks) for block in (first, after)]
        result.append(
            {
                "first_key": key_text(ends[0]),
                "last_key": key_text(ends[1] - 1),
                "blocks": b"".join(map(bloom.block_bytes, range(first, after))).hex(),
            }
        )
    return result


def ribbon_cases() -> Iterator[Case]:
    """Yield ribbon filters: each key's start and coefficients, shards, rate and answers."""
    for n_columns, n_partitions, per_shard, n_keys in (
        (7, 1, 1, 20),
        (8, 3, 2, 400),
        (13, 2, 1, 25),
        (32, 1, 1, 3),
    ):
        keys = some_keys(f"ribbon {n_columns}", n_keys)
        partitions = [
            slow_filters.ribbon_partition(
                [key for key in keys if key * n_partitions >> 64 == number], n_columns, n_partitions
            )
            for number in range(n_partitions)
        ]
        own_shards = []
        for first in range(0, n_partitions, per_shard):
            some = partitions[first : first + per_shard]
            ends = [-(-number * 2**64 // n_partitions) for number in (first, first + len(some))]
            own_shards.append(
                {
                    "first_key": key_text(ends[0]),
                    "last_key": key_text(ends[1] - 1),
                    "columns": b"".join(one.to_bytes() for one in some).hex(),
                    "partitions": b"".join(one.n_blocks.to_bytes(8, "little") for one in some).hex(),
                }
            )
        places = []
        for key in keys[:6]:
            number = key * n_partitions >> 64
            start, row = slow_filters.ribbon_row(key, n_partitions, partitions[number].n_blocks)
            places.append([key_text(key), number, start, f"{row:032x}"])
        rates = [sum(rates) / len(rates) for rates in (one.block_rates() for one in partitions)]
        asked = [*keys[:6], *some_keys("absent", 150)[2:]]
        owners = {key: partitions[key * n_partitions >> 64] for key in asked}
        yield {
            "filter": {"kind": "ribbon", "n_columns": n_columns, "n_partitions": n_partitions},
            "keys": [*map(key_text, keys)],
            "places": places,
            "shards": own_shards,
            "rate": sum(rates) / len(rates),
            "answers": [[key_text(key), owner.contains(key, n_partitions)] for key, owner in owners.items()],
        }


def some_windows(name: str, n: int) -> list[str]:
    """Return windows of characters of one to four bytes, the same for the same name."""
    return [f"{name} {'aé京🚢'[i % 4] * (i % 5)} window {i}" for i in range(n)]


def pybloom_cases() -> Iterator[Case]:
    """Yield filters of pybloom-live: each window's bit in each slice, the file, and answers."""
    for n_windows, rate in ((1, 0.3), (12, 0.01), (40, 0.001), (9, 1e-12)):
        windows = some_windows("stored", n_windows)
        bloom = slow_filters.PyBloom(n_windows, rate)
        for window in windows:
            bloom.add(window.encode())
        yield {
            "filter": {"kind": "pybloom", "n_slices": bloom.n_slices, "slice_bits": bloom.slice_bits},
            "windows": windows,
            "places": [[window, bloom.positions(window.encode())] for window in windows[:4]],
            "file": bloom.to_bytes().hex(),
            "answers": [
                [window, bloom.contains(window.encode())]
                for window in windows[:2] + some_windows("other", 30)
            ],
        }


def redisbloom_cases() -> Iterator[Case]:
    """Yield filters of RedisBloom of one link and several, with both hashes and both ways to count bits."""
    for options, capacities in ((4, (12,)), (1 | 4, (4, 8)), (0, (10,)), (1, (3, 6, 12))):
        wide, rounded = bool(options & 4), not options & 1
        links = [redisbloom_writer.link(n, 0.02 / 2**i, rounded=rounded) for i, n in enumerate(capacities)]
        windows = some_windows("stored", sum(capacities))
        stored = iter(windows)
        for one, n in zip(links, capacities, strict=True):
            for _, window in zip(range(n), stored, strict=False):
                for at in one.positions(window.encode(), wide):
                    one.data[at >> 3] |= 1 << (at & 7)
                one.entries += 1
        asked = windows[:2] + windows[-1:] + some_windows("other", 30)
        yield {
            "filter": {
                "kind": "redisbloom",
                "n_links": len(links),
                "hash": "murmur64a" if wide else "murmur2",
            },
            "windows": windows,
            "places": [
                [window, [one.positions(window.encode(), wide) for one in links]] for window in windows[:4]
            ],
            "dump": (redisbloom_writer.header(links, options) + b"".join(one.data for one in links)).hex(),
            "answers": [[window, any(one.holds(window.encode(), wide) for one in links)] for window in asked],
        }
