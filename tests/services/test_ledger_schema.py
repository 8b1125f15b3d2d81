import re
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from infra.ledger import Ledger, Schema, check, migrate, open_ledger
from infra.ledger.engine import make_engine, parse
from infra.ledger.migration import REVISIONS, config, current
from producer.report.flat import COLUMNS
from schemas.records import Answer
from schemas.tables import ResultTable, Table
from tests.services.items import VIDEO, claimed, judged, submitted, to_classify
from unmask.errors import Unusable

SQLITE_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
PAGE = Path("docs/reference/results-table.md")
#: Rows of the page that are keys of `fetched_part`.
PARTS = {"identity", "size", "validator", "ranges"}
#: What the condition of an index says, however a database writes it.
WORDS = r"[a-z_]{4,}|[<>=]|\b\d+\b"
ANYTHING = {"campaign": 1, "uri": "u", "since": "2026-01-01 00:00:00", "sha256": "0"}


def test_up_down_and_up_again(empty: str) -> None:
    assert check(empty) is Schema.MISSING
    migrate(empty)
    assert check(empty) is Schema.CURRENT
    migrate(empty, "base")
    engine = make_engine(parse(empty))
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    assert check(empty) is Schema.MISSING
    migrate(empty)
    migrate(empty)
    ledger = open_ledger(empty)
    assert submitted(ledger, 2) == [1, 2]
    ledger.close()


def versions() -> list[str]:
    """From the first to the last."""
    return [one.revision for one in ScriptDirectory.from_config(config()).walk_revisions()][::-1]


def version_of(address: str) -> str | None:
    engine = make_engine(parse(address))
    try:
        with engine.connect() as db:
            return current(db)
    finally:
        engine.dispose()


def test_the_files_are_called_as_their_versions_are() -> None:
    """Who only compares a database with this code asks no more than their names."""
    assert versions() == REVISIONS


@pytest.mark.parametrize("older", versions()[:-1])
def test_step_by_step_down_and_up_again_with_items_in_it(empty: str, older: str) -> None:
    """An operator who goes back a version keeps the archive's items."""
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        items = submitted(ledger, 5)
    for step in reversed(versions()[versions().index(older) : -1]):
        migrate(empty, step)
        assert version_of(empty) == step
    assert check(empty) is Schema.OLDER
    with pytest.raises(Unusable, match="producer migrate"):
        open_ledger(empty)
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        assert [row.item for row in ledger.results("one")] == items
        assert len(ledger.offer(window=10, lease_s=60)) == len(items)


def test_what_was_doomed_before_is_taken_as_if_nobody_had(empty: str) -> None:
    """Versions before 0009 did not say who set out to delete it."""
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        ledger.doom_unknown(["clips/there", "clips/gone"])
        ledger.gone(["clips/gone"])
    migrate(empty, "0008")
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        taken = ledger.take_doomed(10)
        assert taken.keys == ("clips/there",)
        ledger.gone(taken.keys, taken.at)
        assert ledger.doomed(10) == []
        with ledger.engine.connect() as db:
            left = db.execute(text("SELECT key, takes FROM doomed ORDER BY key")).all()
        assert [tuple(row) for row in left] == [("clips/gone", 0), ("clips/there", 1)]


def test_totals_begin_at_what_an_older_version_counted(empty: str) -> None:
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        item, _ = submitted(ledger, 2)
        ledger.finish([(to_classify(ledger, item, 1), judged())])
        new = ledger.tallies()
    migrate(empty, "0004")
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        assert ledger.tallies() == new
    assert sum(one.ended for one in new) == 1
    assert sum(one.answered_s for one in new) == VIDEO.duration_s


def test_a_host_in_trouble_under_an_older_version_rests_and_is_not_given_up(empty: str) -> None:
    """That version did not note when it failed last, so nobody knows for how long it was down."""
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        for item in submitted(ledger, 4):
            claim = claimed(ledger, item)
            ledger.visited(claim, Answer.SILENT, "silent it was", uri="https://a.example/1")
        (before,) = ledger.resting()
    migrate(empty, "0006")
    engine = make_engine(parse(empty))
    with engine.begin() as db:
        db.execute(text("UPDATE place SET down_since = down_since - 7200"))
    engine.dispose()
    migrate(empty)
    with closing(open_ledger(empty)) as ledger:
        (rest,) = ledger.resting()
        assert (rest.name, rest.reason, rest.trouble) == (
            "a.example",
            "silent it was",
            before.trouble,
        )
        with ledger.engine.begin() as db:
            assert db.scalar(text("SELECT failed_at FROM place")) == 0
            db.execute(text("UPDATE item SET host = (SELECT number FROM place) WHERE id = 4"))
        ledger.release_all("the worker was replaced as well")
        ledger.sweep()
        assert ledger.status("one").outcomes == {}


def test_the_migrations_make_the_tables_of_the_code(ledger: Ledger) -> None:
    with ledger.engine.connect() as db:
        context = MigrationContext.configure(
            db, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Table.metadata) == []


def test_partial_indexes_have_the_conditions_of_the_code(ledger: Ledger) -> None:
    """What the comparison above does not look at."""
    postgresql = ledger.engine.dialect.name == "postgresql"
    query = "SELECT indexname, indexdef FROM pg_indexes" if postgresql else SQLITE_INDEXES
    with ledger.engine.connect() as db:
        found = {row[0]: str(row[1]) for row in db.execute(text(query))}
    indexes = [one for table in Table.metadata.tables.values() for one in table.indexes]
    assert {"item_open_idx", "doomed_waiting_idx"} <= {one.name for one in indexes}
    for index in indexes:
        where = index.dialect_options["sqlite"]["where"]
        assert ("WHERE" in found[index.name]) == (where is not None)
        if where is not None:
            words = set(re.findall(WORDS, str(where)))
            assert words <= set(re.findall(WORDS, found[index.name].partition("WHERE")[2]))


def test_a_missing_ledger_is_not_made_by_opening_it(empty: str) -> None:
    with pytest.raises(Unusable, match="producer migrate"):
        open_ledger(empty)
    assert check(empty) is Schema.MISSING


def test_a_newer_ledger_is_refused_and_left_as_it_is(address: str) -> None:
    engine = make_engine(parse(address))
    with engine.begin() as db:
        head = db.scalar(text("SELECT version_num FROM alembic_version"))
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert check(address) is Schema.NEWER
    try:
        for step in (open_ledger, migrate):
            with pytest.raises(Unusable, match="newer version"):
                step(address)
        with engine.begin() as db:
            assert db.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    finally:
        with engine.begin() as db:
            db.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
        engine.dispose()


def test_a_database_of_something_else_is_not_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database\n" * 100)
    with pytest.raises(Unusable, match="not a database"):
        check(f"sqlite:///{path}")


@pytest.mark.parametrize("address", ["", "mysql://h/db", "sqlite://", "state/unmask.db"])
def test_an_address_that_is_none_is_explained(address: str) -> None:
    with pytest.raises(Unusable, match=r"sqlite:///"):
        open_ledger(address)


def test_every_column_of_the_results_table_is_documented() -> None:
    documented = re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE
    )
    columns = ResultTable.__table__.columns
    assert [name for name, _, _ in documented] == [column.name for column in columns]
    nullable = {name for name, kind, _ in documented if "or null" in kind}
    assert nullable == {column.name for column in columns if column.nullable}


def test_the_indexes_of_the_results_table_are_documented() -> None:
    page = PAGE.read_text()
    assert {index.name for index in Table.metadata.tables["result"].indexes} == set(
        re.findall(r"`(result_\w+_idx)`", page)
    )


def test_the_queries_of_the_page_run(ledger: Ledger) -> None:
    queries = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(queries) >= 3
    with ledger.engine.connect() as db:
        for query in queries:
            assert (
                db.execute(
                    text(query),
                    ANYTHING,
                ).all()
                == []
            )


def test_the_queries_of_the_page_take_the_indexes_it_names(migrated_sqlite: Path) -> None:
    """SQLite says how it would look; PostgreSQL decides by what a table holds."""
    page = PAGE.read_text()
    parts = re.findall(r"`(result_\w+_idx)`|```sql\n(.*?)```", page, re.DOTALL)
    engine = create_engine(f"sqlite:///{migrated_sqlite}")
    with engine.connect() as db:
        taken = {
            index
            for _, query in parts
            if query
            for row in db.execute(text(f"EXPLAIN QUERY PLAN {query}"), ANYTHING)
            for index in re.findall(r"result_\w+_idx", row.detail)
        }
    engine.dispose()
    assert taken == {index for index, _ in parts if index}


def test_every_column_of_an_export_is_documented() -> None:
    added = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE))
    named = {column.name for column in ResultTable.__table__.columns} - {"item_id", "campaign_id"}
    assert set(COLUMNS) == named | {"item", "campaign"} | (added.keys() - PARTS)


def test_create_all_is_not_how_tables_are_made(tmp_path: Path) -> None:
    """A database made past the migrations says so, instead of failing later."""
    address = f"sqlite:///{tmp_path / 'made.db'}"
    engine = create_engine(address)
    Table.metadata.create_all(engine)
    engine.dispose()
    with pytest.raises(Unusable, match="producer migrate"):
        open_ledger(address)
