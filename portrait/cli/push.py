"""``portrait push``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

import portrait
from portrait.cli.shared.options import json_option, quiet_option
from portrait.cli.shared.progress import hide_progress
from portrait.errors import printable
from portrait.hub.addresses import REPO_TYPES
from portrait.hub.companions import CARD_CHOICES
from portrait.markup.numbers import counted, size

if TYPE_CHECKING:
    from portrait.hub.addresses import RepoType
    from portrait.hub.companions import CardChoice


@click.command("push")
@click.argument("path", metavar="PORTRAIT")
@click.argument("repository", metavar="ORG/NAME")
@click.option("--path", "path_in_repo", default="", metavar="PATH", help="A directory in the repository.")
@click.option(
    "--repo-type",
    type=click.Choice(REPO_TYPES),
    default="model",
    show_default=True,
    help="The repository's type.",
)
@click.option("--private", is_flag=True, help="If the repository has to be created, make it private.")
@click.option("--revision", metavar="BRANCH", help="The branch; it is created if there is none.")
@click.option("--create-pr", is_flag=True, help="Open a pull request instead of committing.")
@click.option("--message", "commit_message", metavar="TEXT", help="The commit's message.")
@click.option(
    "--card",
    type=click.Choice(CARD_CHOICES),
    default="merge",
    show_default=True,
    help="Whose text the card keeps where people have written in both README.md files.",
)
@quiet_option
@json_option
def command(
    path: str,
    repository: str,
    path_in_repo: str,
    repo_type: RepoType,
    private: bool,
    revision: str | None,
    create_pr: bool,
    commit_message: str | None,
    card: CardChoice,
    quiet: bool,
    as_json: bool,
) -> None:
    """Publish a portrait on the Hugging Face hub, in one commit.

    The repository may be a model's: all other files in it stay as they are. Log in with `hf auth
    login`, or set HF_TOKEN.

    \b
    portrait push corpus.portrait my-org/my-model --path portrait
    portrait push corpus.portrait my-org/my-corpus-portrait --repo-type dataset --private
    """
    hide_progress(quiet or as_json)
    pushed = portrait.push(
        path,
        repository,
        path_in_repo=path_in_repo,
        repo_type=repo_type,
        private=private,
        revision=revision,
        create_pr=create_pr,
        commit_message=commit_message,
        card=card,
    )
    if as_json:
        click.echo(json.dumps(pushed.to_dict(), ensure_ascii=False))
        return
    if not quiet:
        sent = f"{counted(len(pushed.uploaded), 'file')} ({size(pushed.uploaded_bytes)}) uploaded"
        click.echo(f"{sent}, {len(pushed.unchanged)} unchanged, {len(pushed.removed)} removed")
        click.echo(pushed.pull_request_url or pushed.commit_url)
        if not pushed.card:
            click.echo(
                "portrait: note: the README.md there is not the portrait's card and stays as it is: "
                "`portrait card --for-model` writes a section for it",
                err=True,
            )
    click.echo(printable(pushed.address))
