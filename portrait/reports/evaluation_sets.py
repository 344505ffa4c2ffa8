"""The columns of well-known evaluation sets, as these sets are published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The columns that make up a row's text, and the column that names a row, if there is one."""

    columns: tuple[str, ...]
    id_column: str | None = None


#: Benchmarks by name. A dot separates a column that is an object from a member.
BENCHMARKS: dict[str, Benchmark] = {
    "arc": Benchmark(("question", "choices.text"), "id"),
    "gsm8k": Benchmark(("question", "answer")),
    "hellaswag": Benchmark(("ctx", "endings"), "ind"),
    "humaneval": Benchmark(("prompt", "canonical_solution"), "task_id"),
    "mbpp": Benchmark(("text", "code"), "task_id"),
    "mmlu": Benchmark(("question", "choices")),
}

#: The usual names of columns that name a row, in order of preference.
USUAL_IDS = ("task_id", "id", "question_id", "idx", "ind")
