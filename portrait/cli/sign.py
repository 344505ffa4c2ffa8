"""``portrait sign``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

import portrait
from portrait.cli.shared.options import json_option, overwrite_option, silent_option
from portrait.cli.shared.progress import progress
from portrait.errors import SpecError, printable
from portrait.markup.numbers import counted
from portrait.storage.failures import reason

#: Environment variable with the password of the private key.
PASSWORD = "PORTRAIT_KEY_PASSWORD"
_MAX_PASSWORD_CHARACTERS = 1_024


@click.command("sign")
@click.argument("path", metavar="PORTRAIT")
@click.option(
    "--private-key",
    required=True,
    metavar="FILE",
    help="A private key in PEM: ECDSA on P-256, P-384 or P-521, or Ed25519. If it is encrypted, the password "
    f"is that of --password-file or {PASSWORD}, or is asked for.",
)
@click.option("--password-file", metavar="FILE", help="A file whose first line is the key's password.")
@click.option(
    "--certificate",
    metavar="FILE",
    help="The signer's certificate in PEM, followed by those of its issuers.",
)
@click.option(
    "--weights",
    multiple=True,
    metavar="PATH",
    help="Weights of the model to sign, too: a file, or a directory to search; repeatable. The portrait's "
    "own directory is always searched.",
)
@overwrite_option("a signature of this very portrait")
@silent_option
@json_option
def command(
    path: str,
    private_key: str,
    password_file: str | None,
    certificate: str | None,
    weights: tuple[str, ...],
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Sign a portrait, its manifest and the weights of the model beside it.

    The signature is portrait.sigstore.json in the portrait's directory: an in-toto statement in a Sigstore
    bundle. Nothing is sent anywhere.

    \b
    openssl ecparam -name prime256v1 -genkey -noout -out key.pem
    openssl ec -in key.pem -pubout -out key.pub
    portrait sign corpus.portrait --private-key key.pem
    """

    def sign(password: str | None) -> portrait.Signature:
        return portrait.sign(
            path,
            private_key,
            password=password,
            certificate=certificate,
            weights=weights,
            overwrite=overwrite,
            progress=progress("reading", quiet=quiet or as_json),
        )

    password = _password(password_file)
    try:
        signature = sign(password)
    except SpecError as error:
        if error.parameter != "password" or password or not _has_terminal():
            raise
        signature = sign(click.prompt(f"Password of {printable(private_key)}", hide_input=True, err=True))
    if as_json:
        click.echo(json.dumps(signature.to_dict(), ensure_ascii=False))
    elif not quiet:
        n = len(signature.weights_checked)
        weights_signed = f"{counted(n, 'file')} of weights" if n else "no weights"
        click.echo(f"{printable(signature.path)}: signs the portrait, its manifest and {weights_signed}")
        click.echo(f"key {signature.keyid}")
        if signature.identity is not None:
            click.echo(f"identity {printable(signature.identity)}")


def _password(file: str | None) -> str | None:
    """Return the password that a file or the environment gives."""
    if file is None:
        return os.environ.get(PASSWORD)
    try:
        with Path(file).open(encoding="utf-8") as lines:
            return lines.readline(_MAX_PASSWORD_CHARACTERS).removesuffix("\n")
    except (OSError, ValueError) as error:
        raise SpecError(f"{file}: cannot be read: {reason(error)}", parameter="password") from error


def _has_terminal() -> bool:
    """Return whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()
