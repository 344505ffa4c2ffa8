"""What can go wrong, by name.

A message is one line that says what is wrong, where, and what to do. The command line reads its exit
code off the class of an error, the service its HTTP status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


def printable(text: str, *, keep: str = "") -> str:
    """Return a text with escapes in place of characters that control a terminal or cannot be encoded.

    Args:
        text: Any text, such as a file's name.
        keep: Characters to leave as they are.
    """
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


class DisclosureWarning(UserWarning):
    """A portrait is about to give away more of its corpus than most people expect."""


class PortraitError(Exception):
    """Base of all errors that Portrait raises on purpose.

    Args:
        message: One line: what is wrong, where, and what to do.
        parameter: The library's parameter whose change would help, such as ``overwrite``. The command line
            adds the option that sets it; the message itself names no option.
    """

    exit_code = 2
    http_status = 500

    def __init__(self, message: str = "", *, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter

    def __str__(self) -> str:
        # Names of files and columns may hold line feeds and worse; a message is one line.
        return printable(super().__str__())


class SpecError(PortraitError, ValueError):
    """A parameter outside its range: a width of 0, a false-positive rate of 1."""

    http_status = 400


class TextError(PortraitError, ValueError):
    """A query that is not text: it holds a lone surrogate, or is not UTF-8."""

    http_status = 400

    @classmethod
    def lone_surrogate(cls, error: UnicodeEncodeError) -> Self:
        """Return the error that names the lone surrogate at which encoding a text failed."""
        code = ord(error.object[error.start])
        return cls(
            f"the text is not valid Unicode: lone surrogate U+{code:04X} at character {error.start}: "
            "decode it with the right encoding first"
        )


class CorpusError(PortraitError):
    """A source that cannot be read; the message names the file and the row."""


class BadRowError(CorpusError):
    """A row without usable text; other rows of its source may be fine."""


class UnreadableFileError(CorpusError):
    """A file that cannot be read, or not to its end."""


class EmptyCorpusError(CorpusError):
    """Sources that hold no text at all."""


class OutputExistsError(PortraitError, FileExistsError):
    """An output path that is taken."""


class OutputError(PortraitError, OSError):
    """An output that cannot be written."""


class WorkDirError(PortraitError):
    """Missing or damaged files in a build's work directory; the message says which work is repeated."""


class BundleError(PortraitError):
    """A path that is not a portrait, or not one to be trusted."""


class NotAPortraitError(BundleError):
    """A path where nothing looks like a portrait."""


class DamagedBundleError(BundleError):
    """A portrait whose files contradict each other or the format."""


class UnsupportedBundleError(BundleError):
    """A portrait of a newer format, or with parts unknown to this version."""


class SignatureError(BundleError):
    """A signature that is missing, not by the expected signer, or not of these files."""


class HubError(PortraitError):
    """A hub that refuses a request, or cannot be reached."""

    http_status = 502


class MissingExtraError(PortraitError, ImportError):
    """An optional dependency that is not installed; the message says which ``pip install`` brings it."""


class WorkerError(PortraitError):
    """A worker process that died before its task was done."""
