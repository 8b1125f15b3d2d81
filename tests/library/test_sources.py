"""Where items come from: what goes through, what is told, and that nothing stops the reading."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.download import local_path
from producer.sources import BadLine, DuplicateLine, Source, SourceError, open_source
from schemas.records import NewItem, Trust

URL = "https://media.example/{}.mp4"


def split(source: Source) -> tuple[list[NewItem], list[BadLine]]:
    items: list[NewItem] = []
    bad: list[BadLine] = []
    for one in source:
        if isinstance(one, NewItem):
            items.append(one)
        else:
            bad.append(one)
    return items, bad


def uris(source: Source) -> list[str]:
    return [item.uri for item in split(source)[0]]


def listed(tmp_path: Path, name: str, data: str | bytes, **options: Any) -> Source:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return open_source(str(path), **options)


class TestFolder:
    def test_media_and_unknown_files_in_order_documents_counted(self, tmp_path: Path) -> None:
        for name in ("b.mp4", "a/x.JPG", "a/noending", "README.md", ".hidden.mp4", "a/.git/y.mp4"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("text, whatever its name")
        source = open_source(str(tmp_path))
        items, bad = split(source)
        assert [Path(item.uri).relative_to(tmp_path).as_posix() for item in items] == [
            "a/noending",
            "a/x.JPG",
            "b.mp4",
        ]
        assert bad == []
        assert source.tally.sentences() == ["1 file left out as no media (1 .md)"]

    def test_an_item_is_known_by_path_size_and_time(self, tmp_path: Path) -> None:
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(b"12345")
        os.utime(clip, ns=(0, 1_700_000_000_123_456_789))
        [item], _ = split(open_source(str(tmp_path)))
        assert (item.uri, item.stamp) == (str(clip), "5-1700000000123456789")
        assert item.trust is Trust.LOCAL
        assert item.source == f"{tmp_path.name}/clip.mp4"

    def test_links_in_a_circle_end(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "clip.mp4").touch()
        (tmp_path / "sub" / "up").symlink_to(tmp_path)
        (tmp_path / "self").symlink_to(tmp_path / "self")
        items, bad = split(open_source(str(tmp_path)))
        assert [Path(item.uri).name for item in items] == ["clip.mp4"]
        assert [line.why for line in bad] == ["can't be read (Too many levels of symbolic links)"]

    def test_a_broken_link_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "clip.mp4").touch()
        (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere")
        items, [bad] = split(open_source(str(tmp_path)))
        assert len(items) == 1
        assert "gone.mp4" in bad.text
        assert "No such file" in bad.why

    def test_a_pipe_is_never_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.mp4")
        (tmp_path / "clip.mp4").touch()
        source = open_source(str(tmp_path))
        assert [Path(uri).name for uri in uris(source)] == ["clip.mp4"]
        assert source.tally.left_out["special file"] == 1

    def test_a_deep_tree_is_walked(self, tmp_path: Path) -> None:
        deep = tmp_path
        here = os.open(tmp_path, os.O_RDONLY)
        try:
            for _ in range(400):
                os.mkdir("d", dir_fd=here)
                below = os.open("d", os.O_RDONLY, dir_fd=here)
                os.close(here)
                here = below
                deep = deep / "d"
            os.close(os.open("clip.mp4", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        finally:
            os.close(here)
        assert uris(open_source(str(tmp_path))) == [str(deep / "clip.mp4")]

    def test_an_empty_folder_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        with pytest.raises(SourceError, match=r"nothing to scan \(1 file left out .*\.txt\)"):
            list(open_source(str(tmp_path)))

    def test_a_name_that_is_no_utf8_becomes_a_file_address(self, tmp_path: Path) -> None:
        (tmp_path / os.fsdecode(b"caf\xe9.mp4")).touch()
        [uri] = uris(open_source(str(tmp_path)))
        assert uri == f"file://{tmp_path}/caf%E9.mp4"
        assert Path(local_path(uri)).is_file()


class TestOneFile:
    def test_a_file_is_an_item_whatever_is_in_it(self, tmp_path: Path) -> None:
        assert uris(listed(tmp_path, "not-a-video.mp4", "text")) == [
            str(tmp_path / "not-a-video.mp4")
        ]

    def test_a_web_address_is_an_item(self) -> None:
        assert uris(open_source(URL.format(1))) == [URL.format(1)]

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("nowhere.mp4", "there is no such file or folder"),
            ("sheet.xlsx", "save the sheet as .csv"),
            ("all.json", "one JSON object a line"),
        ],
    )
    def test_what_can_not_be_read_is_said_at_once(
        self, tmp_path: Path, name: str, says: str
    ) -> None:
        if name != "nowhere.mp4":
            (tmp_path / name).touch()
        with pytest.raises(SourceError, match=says):
            open_source(str(tmp_path / name))

    def test_strangers_may_not_name_files(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="only the command line"):
            open_source(str(tmp_path), trust=Trust.REMOTE)


class TestList:
    def test_comments_blanks_marks_and_line_ends(self, tmp_path: Path) -> None:
        text = f"\ufeff# mine\r\n\r\n  {URL.format(1)}  \r\n{URL.format(2)}\r{URL.format(3)}"
        items, bad = split(listed(tmp_path, "list.txt", text))
        assert [item.uri for item in items] == [URL.format(at) for at in (1, 2, 3)]
        assert [item.source for item in items] == ["list.txt:3", "list.txt:4", "list.txt:5"]
        assert bad == []

    def test_utf16_as_powershell_writes_it(self, tmp_path: Path) -> None:
        text = f"{URL.format('ä')}\r\n{URL.format(2)}\r\n"
        assert uris(listed(tmp_path, "list.txt", text.encode("utf-16"))) == [
            URL.format("ä"),
            URL.format(2),
        ]

    def test_latin1_lines_beside_utf8_lines(self, tmp_path: Path) -> None:
        data = URL.format("é").encode("latin-1") + b"\n" + URL.format("ü").encode()
        assert uris(listed(tmp_path, "list.txt", data)) == [URL.format("é"), URL.format("ü")]

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("hello", "neither a web address nor a file"),
            ("www.example.com/a.mp4", "https:// is missing in front"),
            ("ftp://example.com/a.mp4", "ftp: addresses are not fetched"),
            ("https:///a.mp4", "without a host"),
            ("https://a b/c.mp4", "a space (write %20)"),
            ("https://a/\x00.mp4", "a character that no address may hold"),
            ("https://[::1/a.mp4", "not a valid web address"),
            ("https://a:99999/b.mp4", "not a valid web address"),
            ("s3://bucket", "names no object"),
            ("s3://bucket/folder/", "names no object"),
            ("/etc/passwd", "outside"),
            ("../up.mp4", "outside"),
            ("link.mp4", "outside"),
            ("file:///etc/passwd", "outside"),
            ("file://other/a.mp4", "another machine"),
            ("folder", "name it on the command line"),
            ("https://a/" + "x" * 9000, "longer than 8,192 characters"),
        ],
    )
    def test_a_bad_line_is_told_and_the_good_ones_go_through(
        self, tmp_path: Path, line: str, why: str
    ) -> None:
        (tmp_path / "up.mp4").touch()
        here = tmp_path / "here"
        (here / "folder").mkdir(parents=True)
        (here / "link.mp4").symlink_to("/etc/passwd")
        items, [bad] = split(listed(here, "list.txt", f"{URL.format(1)}\n{line}\n{URL.format(2)}"))
        assert [item.uri for item in items] == [URL.format(1), URL.format(2)]
        assert (bad.line, bad.source) == (2, "list.txt:2")
        assert why in bad.why

    def test_files_beside_the_list(self, tmp_path: Path) -> None:
        for name in ("a b.mp4", "odd:name.mp4", "ü.mp4"):
            (tmp_path / name).touch()
        lines = f"a b.mp4\nodd:name.mp4\nfile://{tmp_path}/%C3%BC.mp4\n"
        assert uris(listed(tmp_path, "list.txt", lines)) == [
            str(tmp_path / name) for name in ("a b.mp4", "odd:name.mp4", "ü.mp4")
        ]

    def test_a_wider_root_may_be_named(self, tmp_path: Path) -> None:
        (tmp_path / "clip.mp4").touch()
        (tmp_path / "lists").mkdir()
        path = tmp_path / "lists" / "list.txt"
        path.write_text("../clip.mp4")
        assert uris(open_source(str(path), root=tmp_path)) == [str(tmp_path / "clip.mp4")]

    def test_a_repeated_line_names_the_first(self, tmp_path: Path) -> None:
        source = listed(tmp_path, "list.txt", f"{URL.format(1)}\n{URL.format(2)}\n{URL.format(1)}")
        items, [bad] = split(source)
        assert len(items) == 2
        assert isinstance(bad, DuplicateLine)
        assert str(bad) == f"list.txt:3: the same as line 1: {URL.format(1)}"
        assert source.tally.sentences() == ["1 line repeated an earlier one"]

    def test_what_a_bad_line_shows_is_short_and_harmless(self, tmp_path: Path) -> None:
        _, [bad] = split(listed(tmp_path, "l.txt", f"\x1b]0;owned\x07{'x' * 500}\n{URL.format(1)}"))
        assert len(str(bad)) <= len(f"l.txt:1: {bad.why}: ") + 80
        assert bad.text.isprintable()
        assert bad.text.endswith("x" * 500)
        assert bad.text.startswith("\\x1b]0;owned\\x07")

    def test_a_line_without_end_costs_no_memory_and_no_neighbour(self, tmp_path: Path) -> None:
        data = f"{URL.format(1)}\n{'x' * 3_000_000}\n{URL.format(2)}\n"
        items, [bad] = split(listed(tmp_path, "list.txt", data))
        assert [item.source for item in items] == ["list.txt:1", "list.txt:3"]
        assert (bad.line, bad.why) == (2, "the line is too long")

    def test_a_list_without_a_good_line_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"nothing to scan \(1 line could not be used\)"):
            list(listed(tmp_path, "list.txt", "hello\n"))

    def test_a_half_read_list_can_be_left(self, tmp_path: Path) -> None:
        source = listed(tmp_path, "list.txt", "\n".join(URL.format(at) for at in range(50_000)))
        first = next(iter(source))
        assert isinstance(first, NewItem)


class TestTable:
    @pytest.mark.parametrize(
        ("name", "head", "row"),
        [
            ("a.csv", "id,url,label", "7,{},x"),
            ("a.csv", "id;Video URL;label", "7;{};x"),
            ("a.tsv", "id\tlink\tlabel", "7\t{}\tx"),
            ("a.csv", "id,where it is,label", "7,{},x"),
            ("a.csv", '"id","URI","label"', '"7","{}","x"'),
        ],
    )
    def test_the_column_is_guessed_and_the_others_ride_along(
        self, tmp_path: Path, name: str, head: str, row: str
    ) -> None:
        [item], bad = split(listed(tmp_path, name, f"{head}\n{row.format(URL.format(1))}\n"))
        assert bad == []
        assert item.uri == URL.format(1)
        assert item.extra == {"id": "7", "label": "x"}
        assert item.source == f"{name}:2"

    def test_the_column_may_be_named(self, tmp_path: Path) -> None:
        text = f"url,Copy\n{URL.format(1)},{URL.format(2)}\n"
        assert uris(listed(tmp_path, "a.csv", text, column="copy")) == [URL.format(2)]

    @pytest.mark.parametrize(
        ("column", "says"),
        [("nope", "a.csv has no column 'nope'; it has: one, two"), (None, "It has: one, two")],
    )
    def test_an_absent_column_names_those_there_are(
        self, tmp_path: Path, column: str | None, says: str
    ) -> None:
        options = {"column": column} if column else {}
        with pytest.raises(SourceError, match=says):
            list(listed(tmp_path, "a.csv", "one,two\n1,2\n", **options))

    def test_a_table_without_names(self, tmp_path: Path) -> None:
        [first, _], _ = split(listed(tmp_path, "a.csv", f"1,{URL.format(1)}\n2,{URL.format(2)}\n"))
        assert first.uri == URL.format(1)
        assert first.extra == {"column_1": "1"}

    def test_one_column_may_hold_commas(self, tmp_path: Path) -> None:
        assert uris(listed(tmp_path, "a.csv", "url\nhttps://a.example/1,2.mp4\n")) == [
            "https://a.example/1,2.mp4"
        ]

    def test_a_cell_over_two_lines(self, tmp_path: Path) -> None:
        text = f'url,note\n{URL.format(1)},"one\ntwo, ""three"""\n{URL.format(2)},x\n'
        items, bad = split(listed(tmp_path, "a.csv", text))
        assert bad == []
        assert [dict(item.extra) for item in items] == [
            {"note": 'one\ntwo, "three"'},
            {"note": "x"},
        ]
        assert [item.source for item in items] == ["a.csv:2", "a.csv:4"]

    def test_a_quote_never_closed_costs_one_line(self, tmp_path: Path) -> None:
        good = [URL.format(at) for at in range(60)]
        text = "url,note\n" + f'{URL.format("bad")},"oops\n' + "".join(f"{u},x\n" for u in good)
        items, [bad] = split(listed(tmp_path, "a.csv", text))
        assert [item.uri for item in items] == good
        assert bad.line == 2
        assert "quote" in bad.why

    def test_ragged_rows(self, tmp_path: Path) -> None:
        text = f"id,url,note\n1\n2,{URL.format(2)}\n3,{URL.format(3)},x,y\n\n4,{URL.format(4)},z\n"
        items, bad = split(listed(tmp_path, "a.csv", text))
        assert [item.extra["id"] for item in items] == ["2", "4"]
        assert [(line.line, line.why) for line in bad] == [
            (2, "no address"),
            (4, "4 cells where the first row has 3 (is a quote missing?)"),
        ]

    def test_two_columns_of_one_name(self, tmp_path: Path) -> None:
        [item], _ = split(listed(tmp_path, "a.csv", f"url,tag,tag,\n{URL.format(1)},a,b,c\n"))
        assert item.extra == {"tag": "a", "tag_2": "b"}


class TestJsonLines:
    def test_objects_and_strings(self, tmp_path: Path) -> None:
        lines = [{"id": 1, "url": URL.format(1), "tags": ["a"]}, URL.format(2), [1], {"id": 3}, {}]
        text = "\n".join(json.dumps(line) for line in lines) + '\n{"url": 1}\n{oops\n'
        items, bad = split(listed(tmp_path, "a.jsonl", text))
        assert [item.uri for item in items] == [URL.format(1), URL.format(2)]
        assert items[0].extra == {"id": 1, "tags": ["a"]}
        assert [line.line for line in bad] == [3, 4, 5, 6, 7]
        assert "It has: id" in bad[1].why

    def test_what_no_database_takes_is_made_harmless(self, tmp_path: Path) -> None:
        odd = '"a": "\\u0000\\ud800", "b": NaN, "c": 1e999'
        line = f'{{"url": "{URL.format(1)}", {odd}}}'
        [item], _ = split(listed(tmp_path, "a.jsonl", line))
        assert item.extra == {"a": "\ufffd\ufffd", "b": None, "c": None}

    @pytest.mark.parametrize("deep", [30, 100_000])
    def test_a_bottomless_object_is_a_bad_line(self, tmp_path: Path, deep: int) -> None:
        line = '{"url": "x", "a": ' + "[" * deep + "]" * deep + "}"
        items, [bad] = split(listed(tmp_path, "a.jsonl", f"{line}\n{json.dumps(URL.format(1))}"))
        assert len(items) == 1
        assert bad.line == 1


class TestParquet:
    def write(self, tmp_path: Path, **columns: object) -> str:
        pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=2)
        return str(tmp_path / "a.parquet")

    def test_rows_in_batches_with_their_columns(self, tmp_path: Path) -> None:
        path = self.write(
            tmp_path,
            n=[1, 2, 3],
            media_url=[URL.format(1), None, URL.format(3)],
            picture=[b"x", b"y", b"z"],
            score=[0.5, float("nan"), 1.0],
        )
        items, [bad] = split(open_source(path))
        assert [(item.uri, item.source) for item in items] == [
            (URL.format(1), "a.parquet:1"),
            (URL.format(3), "a.parquet:3"),
        ]
        assert items[0].extra == {"n": 1, "score": 0.5}
        assert (bad.line, bad.why) == (2, "no address in column 'media_url'")

    def test_a_column_that_is_no_text(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, n=[1], url=[URL.format(1)])
        with pytest.raises(SourceError, match="column 'n' holds int64, not text"):
            list(open_source(path, column="n"))
        with pytest.raises(SourceError, match="no column 'm'; it has: url"):
            list(open_source(path, column="m"))

    def test_a_broken_file(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"a\.parquet can't be read as Parquet"):
            list(listed(tmp_path, "a.parquet", b"PAR1 no"))


class TestPipe:
    def test_lines_and_json_as_they_look(self) -> None:
        text = f"# note\n{URL.format(1)}\n" + json.dumps({"url": URL.format(2), "n": 1})
        items, bad = split(open_source("-", stdin=io.BufferedReader(io.BytesIO(text.encode()))))
        assert [item.source for item in items] == ["stdin:2", "stdin:3"]
        assert items[1].extra == {"n": 1}
        assert bad == []

    @pytest.mark.parametrize(
        ("text", "column"),
        [
            ("# mine\n\nurl,case\n{},C-17\n", None),
            ('"url";"case"\n"{}";C-17\n', None),
            ("what\tcase\n{}\tC-17\n", "what"),
        ],
    )
    def test_a_table_comes_down_a_pipe_too(self, text: str, column: str | None) -> None:
        pipe = io.BufferedReader(io.BytesIO(text.format(URL.format(1)).encode()))
        [item], bad = split(open_source("-", stdin=pipe, column=column))
        assert bad == []
        assert (item.uri, item.extra) == (URL.format(1), {"case": "C-17"})
        line = text.count("\n")
        assert item.source == f"stdin:{line}"

    def test_addresses_with_commas_are_no_table(self) -> None:
        text = "https://a.example/url,link\nhttps://a.example/1,2.mp4\n"
        assert uris(open_source("-", stdin=io.BufferedReader(io.BytesIO(text.encode())))) == (
            text.split()
        )

    def test_files_below_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "clip.mp4").touch()
        monkeypatch.chdir(tmp_path)
        pipe = io.BufferedReader(io.BytesIO(b"./clip.mp4\n/etc/passwd\n"))
        items, [bad] = split(open_source("-", stdin=pipe))
        assert [item.uri for item in items] == [str(tmp_path / "clip.mp4")]
        assert "outside" in bad.why

    def test_an_empty_pipe_says_so(self) -> None:
        with pytest.raises(SourceError, match="stdin: nothing to scan"):
            list(open_source("-", stdin=io.BufferedReader(io.BytesIO(b""))))


class TestBucket:
    def test_objects_under_a_prefix(self) -> None:
        def lister(bucket: str, prefix: str) -> list[str]:
            assert (bucket, prefix) == ("media", "in/")
            return ["in/", "in/a.mp4", "in/.x.mp4", "in/b#1 ü.mp4", "in/c.txt", "in/\n.mp4"]

        source = open_source("s3://media/in/", lister=lister)
        items, [bad] = split(source)
        assert [item.uri for item in items] == ["s3://media/in/a.mp4", "s3://media/in/b#1 ü.mp4"]
        assert "control character" in bad.why
        assert source.tally.left_out == {".txt": 1}

    def test_no_storage_configured(self) -> None:
        with pytest.raises(SourceError, match="no object storage is configured"):
            list(open_source("s3://media/in/"))
