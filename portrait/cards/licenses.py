"""The URLs of well-known licences, by their SPDX identifiers."""

from __future__ import annotations

#: Identifiers of https://spdx.org/licenses/ under which models, datasets and software are published.
_IDENTIFIERS = """
AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause
BSD-3-Clause-Clear BSL-1.0 C-UDA-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0
CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0
CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 ECL-2.0 EPL-1.0
EPL-2.0 etalab-2.0 EUPL-1.1 EUPL-1.2 GPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0 GPL-3.0-only
GPL-3.0-or-later ISC LGPL-2.1 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0 LGPL-3.0-only LGPL-3.0-or-later
LPPL-1.3c MIT MPL-2.0 MS-PL NCSA ODbL-1.0 ODC-By-1.0 OFL-1.1 OSL-3.0 PDDL-1.0 PostgreSQL Unlicense WTFPL Zlib
"""
#: The hub's names of licences that SPDX calls otherwise.
_OTHER_NAMES = {"c-uda": "C-UDA-1.0", "odbl": "ODbL-1.0", "odc-by": "ODC-By-1.0", "pddl": "PDDL-1.0"}
_BY_NAME = {name.lower(): name for name in _IDENTIFIERS.split()} | _OTHER_NAMES


def license_url(stated: str) -> str:
    """Return the URL of a licence; the text as it is where none is known.

    Args:
        stated: What somebody states as a licence: an identifier, a URL or a sentence.
    """
    stated = stated.strip()
    identifier = _BY_NAME.get(stated.lower())
    return stated if identifier is None else f"https://spdx.org/licenses/{identifier}.html"
