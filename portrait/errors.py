"""What can go wrong, by name.

Every message is one line that says what is wrong, where, and what to do. The exit code of the
command line and the HTTP status of the service are read off the class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


def printable(text: str, *, keep: str = "") -> str:
    """``text`` with everything spelled out that could command a terminal or cannot be encoded.

    The characters in ``keep`` stay.
    """
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


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
    """A parameter is outside its range: a width of 0, a false-positive rate of 1."""

    http_status = 400


class TextError(PortraitError, ValueError):
    """A text that was asked about is not text: it has a lone surrogate, or is not UTF-8."""

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
    """A source cannot be read; the message names the file and the row."""


class BadRowError(CorpusError):
    """One row of a source has no usable text; others may be fine."""


class UnreadableFileError(CorpusError):
    """A file of a source, or the rest of it, cannot be read."""


class EmptyCorpusError(CorpusError):
    """The sources hold no text at all."""


class OutputExistsError(PortraitError, FileExistsError):
    """The place to write to is taken."""


class OutputError(PortraitError, OSError):
    """The bundle cannot be written."""


class SpoolError(PortraitError):
    """What a build left in its work directory is gone or damaged; the message says what is done again."""


class BundleError(PortraitError):
    """A path is not a portrait, or not one that can be trusted."""


class NotAPortraitError(BundleError):
    """Nothing at the path looks like a portrait."""


class DamagedBundleError(BundleError):
    """A portrait whose files contradict each other or the format."""


class UnsupportedBundleError(BundleError):
    """A portrait of a newer format, or with parts that this version does not know."""


class MissingExtraError(PortraitError, ImportError):
    """An optional dependency is not installed; the message says which ``pip install`` brings it."""


class WorkerError(PortraitError):
    """A process that did part of the work is gone."""
