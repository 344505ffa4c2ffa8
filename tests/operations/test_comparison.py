"""What a comparison says, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from portrait.operations.comparison import (
    Comparison,
    Difference,
    LayerOverlap,
    PortraitSize,
    SourceComparison,
)
from portrait.operations.overlap import SketchedLayer, overlap

SIZE = PortraitSize("p", "p", "00", 1, None, 7, 3, 64)


def test_a_comparison_is_a_json_object_of_its_fields() -> None:
    found = overlap([SketchedLayer([1, 2, 3], 3)], [SketchedLayer([2, 3], 9)])
    compared = Comparison(
        SIZE,
        replace(SIZE, documents=2),
        same_id=False,
        differences=(Difference("license", None, "MIT"),),
        sources=(SourceComparison("web", "changed", (Difference("documents", None, 2),)),),
        overlap=found,
        reason=None,
        layers=(LayerOverlap("web", "web", found),),
    )
    content = json.loads(json.dumps(compared.to_dict(), allow_nan=False))
    assert content["a"] == {
        "path": "p",
        "name": "p",
        "id": "00",
        "layers": 1,
        "documents": None,
        "text_bytes": 7,
        "distinct_keys": 3,
        "bytes": 64,
    }
    assert content["differences"] == [{"field": "license", "a": None, "b": "MIT"}]
    assert content["sources"][0]["presence"] == "changed"
    assert content["overlap"] == content["layers"][0]["overlap"] == asdict(found)
    assert content["overlap"]["a_in_b"]["value"] == 0.5
    assert json.loads(json.dumps(replace(compared, overlap=None).to_dict()))["overlap"] is None
