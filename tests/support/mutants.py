"""The one-token mutants of a module's source, made by the operators of cosmic-ray."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from support.places import ROOT
from support.survivors import Change, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

Position = tuple[int, int]

#: The replacements of each comparison and arithmetic operator: its opposite, and its neighbour at the
#: boundary. Others are killed by the same tests, or are the same: ``is`` for ``==`` between small numbers.
REPLACED = {
    "ReplaceComparisonOperator": "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt "
    "Is_IsNot IsNot_Is",
    "ReplaceBinaryOperator": "Add_Sub Sub_Add Mul_Add Mul_FloorDiv Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul "
    "RShift_LShift LShift_RShift BitOr_BitAnd BitAnd_BitOr BitXor_BitAnd",
    "ReplaceUnaryOperator": "USub_UAdd Delete_Not Delete_Invert",
}
OPERATORS = {f"core/{kind}_{pair}" for kind, pairs in REPLACED.items() for pair in pairs.split()} | {
    f"core/{name}"
    for name in (
        "AddNot",
        "ExceptionReplacer",
        "NumberReplacer",
        "ReplaceAndWithOr",
        "ReplaceBreakWithContinue",
        "ReplaceContinueWithBreak",
        "ReplaceFalseWithTrue",
        "ReplaceOrWithAnd",
        "ReplaceTrueWithFalse",
        "ZeroIterationForLoop",
    )
}
assert set(operator_names()) >= OPERATORS


@dataclass(frozen=True)
class Mutant:
    """A module with one token changed."""

    change: Change
    #: The number of the first changed line, from 1.
    at: int
    source: str


def mutants(module: str) -> Iterator[Mutant]:
    """Yield the mutants of a module, which is a path from the root of the project, in a fixed order."""
    source = (ROOT / module).read_text(encoding="utf-8")
    without = list(never_evaluated(source))
    nodes = list(ast_nodes(get_ast(source)))
    for name in sorted(OPERATORS):
        operator = get_operator(name)()
        positions = [position for node in nodes for position in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(positions):
            if any(first <= start < last for first, last in without):
                continue
            try:
                mutated = mutate_code(source, get_operator(name)(), occurrence)
            except AttributeError:  # an exception with a dotted name, which the operator cannot replace
                continue
            if mutated is not None and mutated != source and compiles(mutated):
                yield mutant(module, source, mutated)


def mutant(module: str, source: str, mutated: str) -> Mutant:
    """Return the mutant with this source; its change is the lines that differ."""
    before, after = source.splitlines(), mutated.splitlines()
    first = 0
    while before[first] == after[first]:
        first += 1
    last = 0
    while before[-1 - last] == after[-1 - last] and last < min(len(before), len(after)) - first - 1:
        last += 1
    old, new = (one_line("\n".join(text[first : len(text) - last])) for text in (before, after))
    return Mutant(Change(module, old, new), first + 1, mutated)


def compiles(source: str) -> bool:
    """Return whether a source is Python: replacing an operator of a pattern or a signature may end that."""
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def never_evaluated(source: str) -> Iterator[tuple[Position, Position]]:
    """Yield the ranges of code that only type checkers read, and of the flags of dataclasses."""
    tree = ast.parse(source)
    text = source.splitlines()
    skipped: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            arguments += [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
            skipped += [one.annotation for one in arguments if one.annotation is not None]
            skipped += [node.returns] if node.returns is not None else []
        elif isinstance(node, ast.AnnAssign):
            skipped.append(node.annotation)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            skipped.append(node.test)
        elif isinstance(node, ast.ClassDef):
            skipped += node.decorator_list
    for node in skipped:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        yield (
            (node.lineno, chars(text[node.lineno - 1], node.col_offset)),
            (node.end_lineno, chars(text[node.end_lineno - 1], node.end_col_offset)),
        )


def chars(line: str, n_bytes: int) -> int:
    """Return how many characters a line's first bytes are."""
    return len(line.encode()[:n_bytes].decode())
