"""Options that several commands share: the same option has the same help text everywhere."""

from __future__ import annotations

from collections import defaultdict

import click

from portrait.cli.main import COMMANDS, cli

#: Options that have a different meaning in each command.
DIFFERENT = {
    "--keep",  # columns of a scan, the demo's portrait
    "--json",  # a flag, or the report's file
    "--out",  # a portrait, or a scan's file
    "--overwrite",  # each says what it replaces
    "--portrait",
    "--quiet",  # with a summary, or with an exit code only
    "--rate",  # of all callers, or of one key
    "--restart",  # of a build, or of a scan
    "--short-documents",  # with a default, or as in the portrait's first layer
    "--span",  # of a new portrait, or of a filter that does not say
    "--stride",  # of a new portrait, or of a foreign filter
    "--unit",
    "--weights",  # to sign, or to look for
    "--width",
    "--normalizer",
    "--workers",  # which read, query or serve
}


def test_an_option_has_the_same_help_everywhere() -> None:
    help_texts = defaultdict(set)
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option):
                help_texts[max(option.opts, key=len).replace("--columns", "--column")].add(option.help)
    assert {name for name, texts in help_texts.items() if len(texts) > 1} <= DIFFERENT
    assert {"--evalue", "--column", "--format", "--max-shard-size", "--license", "--color"} <= {*help_texts}


def test_a_threshold_has_the_default_of_its_command() -> None:
    defaults = {}
    for name in ("query", "scan", "report"):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        (option,) = [one for one in command.params if one.name == "evalue"]
        defaults[name] = option.default
    # Scans and reports ask about many rows, so each row needs stronger evidence.
    assert defaults == {"query": 0.01, "scan": 1e-5, "report": 1e-5}
