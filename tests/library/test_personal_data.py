"""No biometric template is stored: what leaves the sandbox, and what the ledger holds, is listed.

Whoever adds a field meets this list, and docs/reference/personal-data.md.
"""

import dataclasses
from typing import Any

import pytest
from sqlalchemy import ARRAY, LargeBinary

from schemas.tables import Table
from unmask.media.values import Box, Clip, FaceFrame, Person

STORED: dict[Any, set[str]] = {
    Clip: {"person", "sha256", "data"},
    Box: {"x", "y", "width", "height"},
    FaceFrame: {
        *("window", "time_s", "box", "face_px", "sharpness", "detected", "offset", "length"),
        "tilt",
    },
    Person: {"person", "clip_sha256", "clip_bytes", "frames"},
}
#: Bytes that are no template: of an address.
DIGESTS = {"digest"}
TEMPLATES = ("embedding", "encoding", "landmark", "descriptor", "template", "vector")


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_what_leaves_the_sandbox_is_listed(kind: Any) -> None:
    assert {field.name for field in dataclasses.fields(kind)} == STORED[kind]


def test_the_ledger_has_no_place_for_a_template() -> None:
    for table in Table.metadata.tables.values():
        for column in table.columns:
            plain = column.name in DIGESTS or not isinstance(column.type, LargeBinary | ARRAY)
            assert plain, column
            assert not any(word in column.name for word in TEMPLATES), column
