"""The fault suite's oracle sees a broken promise: else its silence would say nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.ledger import Ledger
from infra.objects import FolderStore
from schemas.records import StoredObject
from schemas.stages import Stage
from tests.chaos import oracle
from tests.services.items import claimed, delete_doomed, extracted, judged, submitted


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def finished(ledger: Ledger, *pictures: StoredObject, shown: str) -> None:
    """An item whose clips are gone, with these pictures; its only segment names `shown`."""
    (item,) = submitted(ledger, 1, keep_clips_s=0.0)
    ledger.extracted(claimed(ledger, item), extracted(1))
    done = judged()
    (person,) = done.verdict.persons
    (segment,) = person.segments
    told = replace(person, segments=(replace(segment, evidence=shown),))
    verdict = replace(done.verdict, persons=(told,))
    claim = claimed(ledger, item, Stage.EXTRACTED)
    assert ledger.finish([(claim, replace(done, verdict=verdict, evidence=pictures))]) == {item}
    ledger.expire()
    delete_doomed(ledger)


def told(ledger: Ledger, store: FolderStore) -> list[str]:
    return list(oracle.objects(oracle.Facts(ledger, "one"), store))


def test_evidence_that_outlives_its_clips_is_looked_at(ledger: Ledger, store: FolderStore) -> None:
    picture = store.put("evidence/1/0", b"a face")
    finished(ledger, picture, shown=picture.key)
    assert told(ledger, store) == []
    (store.path / picture.key).write_bytes(b"another face")
    (damaged,) = told(ledger, store)
    assert picture.key in damaged
    store.delete([picture.key])
    (missing,) = told(ledger, store)
    assert picture.key in missing


def test_what_only_a_segment_names_is_looked_at(ledger: Ledger, store: FolderStore) -> None:
    finished(ledger, shown="evidence/1/0")
    (unknown,) = told(ledger, store)
    assert "evidence/1/0, which the ledger has not" in unknown
