"""The progress meter: counts, speed and time left."""

from __future__ import annotations

import pytest

from portrait.progress import READING, Meter, Silent


def test_the_time_left_ignores_resumed_bytes() -> None:
    meter = Meter(1000, READING)
    meter.advance(900)
    resumed = Meter(1000, READING)
    resumed.advance(900)
    assert (resumed.resumed_bytes, resumed.eta_seconds, resumed.text_bytes_per_second) == (900, None, 0)
    meter.advance(50, 1, 70)
    # The last 50 bytes take as long as the 50 bytes that this process has read.
    assert meter.eta_seconds == pytest.approx(meter.seconds, rel=0.5)
    meter.advance(50, 1, 70)
    assert meter.eta_seconds == 0
    assert Meter(None, READING).eta_seconds is None
    building = Meter(10, "building")
    building.advance(5)
    assert building.resumed_bytes == 0
    assert building.eta_seconds is not None


def test_progress_never_exceeds_the_total() -> None:
    meter = Meter(100, READING)
    meter.advance(80, 1, 500)
    meter.advance(80, 1, 500)
    assert (meter.n_bytes, meter.documents, meter.text_bytes) == (100, 2, 1000)


def test_the_record_of_a_finished_stage_has_no_time_left() -> None:
    meter = Meter(None, "writing")
    meter.advance(7)
    under_way, done = meter.to_dict(done=False), meter.to_dict(done=True)
    assert (under_way["eta_seconds"], done["eta_seconds"]) == (None, 0.0)
    assert under_way["stage"] == "writing"
    assert (under_way["bytes"], under_way["total_bytes"]) == (7, None)
    assert set(under_way) == set(done)


def test_silent_progress_accepts_every_call_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silent = Silent()
    silent.start(None)
    silent.start(10, READING)
    silent.advance(5, 1, 4)
    silent.finish()
    assert capsys.readouterr() == ("", "")
