"""Conversions that were stopped go on, and never leave half a table."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_files import FORMATS, expression, write
from numpy.testing import assert_array_equal

from skgex.io import _journal, _to_memmap, open_memmap, to_memmap


class Stopped(BaseException):
    """As KeyboardInterrupt, which nothing may catch."""


class Stopper:
    """Stops a conversion when so many blocks were read, and counts them."""

    def __init__(self, n_blocks):
        self.left, self.n_read = n_blocks, 0

    def __enter__(self):
        self.patch, original = pytest.MonkeyPatch(), _to_memmap.parts

        def parts(*args, **options):
            for part in original(*args, **options):
                part.blocks = self.limit(part.blocks)
                yield part

        self.patch.setattr(_to_memmap, "parts", parts)
        return self

    def __exit__(self, kind, *_):
        self.patch.undo()
        return kind is Stopped

    def limit(self, blocks):
        def limited(*args):
            for block in blocks(*args):
                if args:  # not to learn what the values are
                    if not self.left:
                        raise Stopped
                    self.left, self.n_read = self.left - 1, self.n_read + 1
                yield block

        return limited


def stopped_after(n_blocks, *args, **options):
    """Stop a conversion, which must not leave a table; return how far it came."""
    with Stopper(n_blocks) as stopper:
        to_memmap(*args, **options)
    path = args[1]
    if stopper.left == 0:
        with pytest.raises(FileNotFoundError, match=r"not complete.*to_memmap again"):
            open_memmap(path)
    return stopper.n_read


def resumed(*args, **options):
    """Convert, and return the table and how many blocks were read for it."""
    with Stopper(-1) as stopper:
        return to_memmap(*args, **options), stopper.n_read


@settings(max_examples=20)
@given(st.data())
def test_a_resumed_conversion_is_the_same(data):
    kind = data.draw(st.sampled_from([*FORMATS, "frame", "cohorts"]))
    n, g = data.draw(st.integers(2, 9)), data.draw(st.integers(1, 9))
    X = expression(n, g, seed=n, missing=kind != "archs4")
    size = data.draw(st.integers(1, 10))
    genes = data.draw(st.sampled_from([None, ["absent", "g0"]]))
    options = {"chunk_size": size, "genes": genes}
    stops = data.draw(st.lists(st.integers(0, 3), max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        source = {"frame": X, "cohorts": [X[: n // 2], X[n // 2 :]]}.get(kind)
        if source is None:
            source = write(kind, Path(folder), X)
        once, n_blocks = resumed(source, Path(folder, "once"), **options)
        path, n_read = Path(folder, "table"), 0
        for stop in stops:
            if n_read + stop >= n_blocks:
                break
            n_read += stopped_after(stop, source, path, **options)
        table, n_rest = resumed(source, path, **options)
        assert n_read + n_rest == n_blocks
        assert_array_equal(table, X if genes is None else X.reindex(columns=genes))
        for end in ("", ".json"):
            assert (
                Path(f"{path}{end}").read_bytes()
                == Path(folder, f"once{end}").read_bytes()
            )
        assert not list(Path(folder).glob("*partial*"))
        assert once.shape == table.shape


def change_file(source):
    text = source.read_text().replace("S0", "T0")
    source.write_text(text)
    os.utime(source, ns=(1, 1))
    return {}


@pytest.mark.parametrize(
    "change",
    [
        change_file,
        lambda source: os.utime(source, ns=(1, 1)) or {},
        lambda source: {"genes": ["g1", "g0"]},
        lambda source: {"samples": ["S2", "S1"]},
        lambda source: {"dtype": "float64"},
        lambda source: {"chunk_size": 2},
        lambda source: {"reader_params": {"on_duplicate": "first"}},
    ],
    ids=["content", "time", "genes", "samples", "dtype", "chunk_size", "parameters"],
)
def test_another_source_is_converted_from_the_start(change, tmp_path):
    path, X = tmp_path / "table", expression(n_genes=8)
    source = write("xena", tmp_path, X)
    options = {"chunk_size": 1, "samples": None}
    stopped_after(3, source, path, **options)
    options |= change(source)
    _, n_blocks = resumed(source, tmp_path / "once", **options)
    table, n_read = resumed(source, path, **options)
    assert n_read == n_blocks
    assert path.read_bytes() == (tmp_path / "once").read_bytes()
    assert list(table.index) == list(open_memmap(tmp_path / "once").index)


def test_values_of_a_table_tell_it_from_another(tmp_path):
    path, X = tmp_path / "table", expression()
    stopped_after(3, X, path, chunk_size=1)
    table, n_read = resumed(X + 1, path, chunk_size=1)
    assert n_read == len(X)
    assert_array_equal(table, X + 1)


def test_later_parts_that_changed_are_converted_again(tmp_path):
    path = tmp_path / "table"
    parts = [expression(seed=i).add_prefix(f"{i}", axis=0) for i in range(4)]
    stopped_after(22, parts, path, chunk_size=1)
    table, n_read = resumed([*parts[:2], parts[3]], path, chunk_size=1)
    assert n_read == 7
    assert_array_equal(table, pd.concat([*parts[:2], parts[3]]))


def test_a_journal_never_tells_of_what_was_written_over(tmp_path, monkeypatch):
    path, X = tmp_path / "table", expression()
    stopped_after(3, X, path, chunk_size=1)

    def write(self, entries, sync=False):
        if not sync:  # the first block is there, but not noted yet
            raise Stopped
        original(self, entries, sync)

    original = _journal.Journal.write
    monkeypatch.setattr(_journal.Journal, "write", write)
    with pytest.raises(Stopped):
        to_memmap(X + 1, path, chunk_size=1)
    monkeypatch.undo()
    assert_array_equal(to_memmap(X, path, chunk_size=1), X)


@pytest.mark.parametrize("lost", [".partial", ".partial.json"])
def test_what_is_left_of_a_conversion_may_be_deleted(lost, tmp_path):
    path, X = tmp_path / "table", expression()
    stopped_after(3, X, path, chunk_size=1)
    Path(f"{path}{lost}").unlink()
    assert_array_equal(to_memmap(X, path, chunk_size=1), X)


@pytest.mark.parametrize("n_steps", range(20))
def test_no_moment_shows_half_a_table(n_steps, tmp_path, monkeypatch):
    path = tmp_path / "table"
    old, new = expression(seed=1), expression(seed=2).set_axis(list("abcde"), axis=1)
    to_memmap(old, path)
    steps = iter(range(n_steps))

    def stopping(function):
        def step(*args, **options):
            if next(steps, None) is None:
                raise Stopped
            return function(*args, **options)

        return step

    for module, name in ((os, "replace"), (os, "fsync"), (Path, "unlink")):
        monkeypatch.setattr(module, name, stopping(getattr(module, name)))
    with suppress(Stopped):
        to_memmap(new, path, chunk_size=4)
    monkeypatch.undo()
    with suppress(FileNotFoundError):
        seen = open_memmap(path)
        expected = old if list(seen) == list(old) else new
        assert_array_equal(seen, expected)
        assert list(seen) == list(expected)
    assert_array_equal(to_memmap(new, path, chunk_size=4), new)
    assert not list(tmp_path.glob("*partial*"))


KILLED = """
import sys, time
import numpy as np, pandas as pd
from skgex.io import to_memmap

def cohorts():
    for i in range(5):
        if i == 3:
            print("ready", flush=True)
            time.sleep(60)
        yield pd.DataFrame(np.full((4, 3), i, "f4"), [f"{i}-{j}" for j in range(4)])

to_memmap(cohorts(), sys.argv[1])
"""


def test_a_killed_process(tmp_path):
    path = tmp_path / "table"
    cohorts = [
        pd.DataFrame(np.full((4, 3), i, "f4"), [f"{i}-{j}" for j in range(4)])
        for i in range(5)
    ]
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(RuntimeError, match="Another process is writing"):
            to_memmap(cohorts, path)
        process.kill()
    with pytest.raises(FileNotFoundError, match="not complete"):
        open_memmap(path)
    table, n_read = resumed(cohorts, path)
    assert n_read == 2
    assert_array_equal(table, pd.concat(cohorts))


# Journals that are not true, and files that lead elsewhere


def with_entry(**changes):
    def damage(journal):
        journal["parts"][0].update(changes)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        *(with_entry(n_done=n) for n in (7, 6, 10**9, -1, 2.0, "7", None, True)),
        with_entry(fingerprint=3),
        lambda journal: journal.update(parts=[3]),
        lambda journal: journal.update(parts=None),
        lambda journal: journal.update(size=0),
        lambda journal: journal.update(token="00"),
        lambda journal: journal.pop("check"),
        lambda journal: journal.clear(),
    ],
)
@pytest.mark.parametrize("forged", [True, False])
def test_a_journal_that_is_not_true(damage, forged, tmp_path):
    path, X = tmp_path / "table", expression(missing=False) + 1
    stopped_after(3, X, path, chunk_size=1)
    file = Path(f"{path}.partial.json")
    journal = json.loads(file.read_text())
    damage(journal)
    done = json.dumps(journal.get("parts")).count('"n_done": ')
    if forged and journal:
        journal.pop("check", None)
        journal["check"] = _journal._check(journal)
        # Whoever makes a true checksum can as well write values of any kind.
        if done and journal["parts"][0]["n_done"] in (6, 7):
            return
    file.write_text(json.dumps(journal))
    assert_array_equal(to_memmap(X, path, chunk_size=1), X)


@pytest.mark.parametrize("text", [b"[" * 10**5, b"\xff", b"[]", b"null", b"3", b""])
def test_what_is_no_journal(text, tmp_path):
    path, X = tmp_path / "table", expression()
    stopped_after(3, X, path, chunk_size=1)
    Path(f"{path}.partial.json").write_bytes(text)
    table, n_read = resumed(X, path, chunk_size=1)
    assert n_read == len(X)
    assert_array_equal(table, X)


def test_a_journal_of_other_data(tmp_path):
    path, X = tmp_path / "table", expression()
    stopped_after(3, X, path, chunk_size=1)
    data = Path(f"{path}.partial")
    data.write_bytes(bytes(data.stat().st_size))
    assert_array_equal(to_memmap(X, path, chunk_size=1), X)


LEFT = [".partial", ".partial.json", ".partial.json.new"]
LEFT += [".json.partial", ".json.partial.new", ".json"]


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("end", LEFT)
def test_what_a_link_leads_to_is_never_written(link, end, tmp_path):
    other, path, X = tmp_path / "other", tmp_path / "table", expression()
    other.write_text("mine" * 1000)
    link(other, f"{path}{end}")
    try:
        assert_array_equal(to_memmap(X, path), X)
    except ValueError as error:
        assert f"{path}.partial is a" in str(error)  # noqa: PT017
        assert "remove it" in str(error)  # noqa: PT017
        assert end == ".partial"
    assert other.read_text() == "mine" * 1000


@pytest.mark.parametrize("there", [True, False])
def test_a_link_to_nothing_and_a_pipe(there, tmp_path):
    path, X = tmp_path / "table", expression()
    if there:
        os.mkfifo(f"{path}.partial")
    else:
        os.symlink(tmp_path / "absent", f"{path}.partial")
    with pytest.raises(
        ValueError, match=r"table\.partial is (a symbolic|no file).*rem"
    ):
        to_memmap(X, path)
    assert not (tmp_path / "absent").exists()


def test_a_table_that_is_read_only_is_not_replaced(tmp_path):
    path, X = tmp_path / "table", expression()
    to_memmap(X, path)
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=r"read-only.*table"):
        to_memmap(X + 1, path)
    assert_array_equal(open_memmap(path), X)
