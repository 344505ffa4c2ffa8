"""``portrait verify``."""

from __future__ import annotations

import json

import click

import portrait
from portrait.cli.shared.options import json_option, silent_option
from portrait.cli.shared.progress import progress
from portrait.errors import printable
from portrait.markup.numbers import counted, size


@click.command("verify")
@click.argument("path", metavar="PORTRAIT")
@click.option("--public-key", metavar="FILE", help="Check the signature, too, by a public key in PEM.")
@click.option(
    "--identity",
    metavar="TEXT",
    help="Check the signature, too, by the e-mail address or URI in the signer's certificate.",
)
@click.option(
    "--trusted-root",
    metavar="FILE",
    help="Certificates in PEM of the authorities that may vouch for the identity.",
)
@click.option(
    "--weights",
    multiple=True,
    metavar="DIR",
    help="A directory that holds weights of the model, which the signature vouches for; repeatable. The "
    "portrait's own directory is always searched.",
)
@silent_option
@json_option
def command(
    path: str,
    public_key: str | None,
    identity: str | None,
    trusted_root: str | None,
    weights: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Check every byte of a portrait against its manifest, and that against a signature.

    Exits 0 if it is intact, and otherwise 2, naming the first damaged file or what is wrong with the
    signature.

    \b
    portrait verify corpus.portrait
    portrait verify corpus.portrait --public-key key.pub
    portrait verify corpus.portrait --identity alice@example.org --trusted-root roots.pem
    """
    verified = portrait.verify(
        path,
        public_key=public_key,
        identity=identity,
        trusted_root=trusted_root,
        weights=weights,
        progress=progress("reading", quiet=quiet or as_json),
    )
    if as_json:
        click.echo(json.dumps(verified.to_dict(), ensure_ascii=False))
    elif not quiet:
        click.echo(
            f"{printable(verified.path)}: intact: {counted(verified.files, 'file')}, {size(verified.bytes)}"
        )
        click.echo(f"id {verified.id}")
        if verified.signature is not None:
            _print_signature(verified.signature)
        elif verified.signed:
            _note("signed, signature not checked: give the signer's public key, or an identity")
        for name in verified.unexpected:
            _note(f"{name!r} is not part of the portrait")


def _print_signature(signature: portrait.Signature) -> None:
    if signature.identity is None:
        click.echo(f"signed with key {signature.keyid}")
    else:
        click.echo(
            f"signed by {printable(signature.identity)}, certified by {printable(signature.issuer or '')}"
        )
    if signature.weights_checked:
        n = counted(len(signature.weights_checked), "file")
        click.echo(f"weights: {n} as signed")
    for name in signature.weights_absent:
        _note(f"weights {name!r} are not here, not checked")


def _note(text: str) -> None:
    click.echo(f"portrait: note: {text}", err=True)
