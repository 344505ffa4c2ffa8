"""Which columns of well-known evaluation sets hold text, as these sets are published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The columns to ask about, joined by line breaks, and the one that names a row, if any does."""

    columns: tuple[str, ...]
    id_column: str | None = None


#: By the name that a benchmark goes by. A dot leads into a column that is an object.
BENCHMARKS: dict[str, Benchmark] = {
    "arc": Benchmark(("question", "choices.text"), "id"),
    "gsm8k": Benchmark(("question", "answer")),
    "hellaswag": Benchmark(("ctx", "endings"), "ind"),
    "humaneval": Benchmark(("prompt", "canonical_solution"), "task_id"),
    "mbpp": Benchmark(("text", "code"), "task_id"),
    "mmlu": Benchmark(("question", "choices")),
}

#: What columns that name a row are usually called, the first one there being taken.
USUAL_IDS = ("task_id", "id", "question_id", "idx", "ind")
