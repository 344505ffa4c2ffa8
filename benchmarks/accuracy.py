"""How often answers are right: the recall of copies, the rate of false answers, and the effect of edits.

Prints Markdown tables and exits with 1 if a promise is broken: if a verbatim passage of the detectable
length is not found, if there are more false answers than the threshold allows, if the default sampling finds
less than strides do, or if it stores or asks more windows than promised. ``--small`` asks a hundredth of the
questions. ``--texts DIR`` adds false answers about real texts, those of a directory of documentation, which
documentation.py says how to get. The English text is Python's own language reference; the Chinese is random.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import accuracy_chance
import accuracy_recall
import accuracy_sampling
import accuracy_verbatim
from corpora import Corpus, chinese, english
from documentation import documents

if TYPE_CHECKING:
    from portrait.spec import FilterKind

#: The kinds of filter, each with its usual rate.
KINDS: tuple[tuple[FilterKind, float], ...] = (("bloom", 0.01), ("ribbon", 1 / 128))
#: Those of which false answers are counted.
CHANCE_FILTERS: tuple[tuple[FilterKind, float], ...] = (*KINDS, ("bloom", 0.001), ("bloom", 0.1))


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--small", action="store_true", help="ask a hundredth of the questions")
    parser.add_argument("--texts", type=Path, metavar="DIR", help="documentation, see documentation.py")
    return parser.parse_args()


def measure_real_texts(directory: Path, folder: Path, n: int) -> bool:
    """Count false answers about one half of a directory's documents, from the portrait of the other half."""
    texts = list(documents(directory))
    corpus = Corpus(texts[::2], folder)
    pieces = list(accuracy_chance.real_texts(corpus.documents, texts[1::2], n))
    what = f"pieces of {accuracy_chance.PIECE_CHARS} characters of documentation"
    return accuracy_chance.measure(what, corpus, pieces, CHANCE_FILTERS)


if __name__ == "__main__":
    options = arguments()
    share = 100 if options.small else 1
    with tempfile.TemporaryDirectory() as scratch:
        corpora = {}
        for name, texts in (("English", english()), ("Chinese", chinese(random.Random(1)))):
            folder = Path(scratch, name)
            folder.mkdir()
            corpora[name] = Corpus(texts, folder)
        kept = accuracy_verbatim.measure(corpora, 4000 // share)
        words = accuracy_chance.random_words(corpora["English"].documents, 100_000 // share)
        kept &= accuracy_chance.measure("texts of 80 random words", corpora["English"], words, CHANCE_FILTERS)
        if options.texts is None:
            print("## False answers about documentation: left out, as there is no --texts DIR\n")
        else:
            folder = Path(scratch, "documentation")
            folder.mkdir()
            kept &= measure_real_texts(options.texts, folder, 50_000 // share)
        kept &= accuracy_recall.measure(corpora["English"], KINDS, 1000 // share, 300 // min(share, 30))
        samples = accuracy_sampling.samples(5_000_000 // share)
        kept &= accuracy_sampling.measure_density(samples)
        kept &= accuracy_sampling.measure_asked(samples)
    print("Every promise was kept." if kept else "A promise was broken.")
    sys.exit(not kept)
