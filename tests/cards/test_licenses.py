"""The URLs of licences."""

from __future__ import annotations

import pytest

from portrait.cards.licenses import license_url


@pytest.mark.parametrize(
    ("stated", "identifier"),
    [("Apache-2.0", "Apache-2.0"), (" cc-by-sa-4.0\n", "CC-BY-SA-4.0"), ("odc-by", "ODC-By-1.0")],
)
def test_a_known_licence_has_the_url_of_its_identifier(stated: str, identifier: str) -> None:
    assert license_url(stated) == f"https://spdx.org/licenses/{identifier}.html"


@pytest.mark.parametrize("stated", ["llama3", "https://example.org/terms", "Ask us first."])
def test_other_licences_stay_as_they_are(stated: str) -> None:
    assert license_url(stated) == stated
