"""Where `save` and `write_expression` write: reasons not to, and what is left."""

import errno
import os
import resource
import subprocess
import sys

import pandas as pd
import pytest

from skgex import SCARF, load
from skgex._new_file import _stem, _writer, new_file
from skgex.datasets import make_expression
from skgex.io import write_expression

X = make_expression(n_samples=30, n_genes=12, random_state=0)


@pytest.fixture(scope="module")
def scarf():
    return SCARF(hidden_dims=(8, 4), max_epochs=0, random_state=0).fit(X)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def _small_disk():
    """A limit on the size of files, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("_small_disk")
def test_a_file_that_does_not_fit_is_named(scarf, path):
    with pytest.raises(OSError, match=r"nothing was written.*model\.saf") as caught:
        scarf.save(path)
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(path)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_full_disk_is_named_at_every_step(scarf, path, monkeypatch, step):
    scarf.save(path)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match=r"No space left.*older file is.*model\.saf"):
        scarf.save(path)
    monkeypatch.undo()
    assert [path.read_bytes()] == [before]
    assert list(path.parent.iterdir()) == [path]


def test_other_errors_keep_their_own_words(path):
    with pytest.raises(FileNotFoundError, match="'other'"), new_file(path):
        raise FileNotFoundError(errno.ENOENT, "not there", "other")
    with pytest.raises(ValueError, match="of its own"), new_file(path):
        raise ValueError("of its own")
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_stays_and_its_file_is_replaced(scarf, path, there):
    link, folder = path.parent / "link", path.parent / "folder"
    folder.mkdir()
    target = folder / "target"
    if there:
        target.write_text("old")
    link.symlink_to(target)
    scarf.save(link)
    assert link.is_symlink()
    assert (load(target).transform(X) == scarf.transform(X)).all()
    assert {p.name for p in path.parent.iterdir()} == {"link", "folder"}
    assert list(folder.iterdir()) == [target]


def test_a_file_that_is_read_only_is_not_replaced(scarf, path):
    path.write_text("mine")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=r"read-only.*model\.safetensors"):
        scarf.save(path)
    assert path.read_text() == "mine"
    table = path.with_name("x.tsv")
    table.write_text("mine")
    table.chmod(0o444)
    with pytest.raises(PermissionError, match=r"read-only.*x\.tsv"):
        write_expression(pd.DataFrame(X), table, overwrite=True)
    assert table.read_text() == "mine"


def test_the_mode_of_a_file_is_kept(scarf, path):
    path.write_text("old")
    path.chmod(0o640)
    scarf.save(path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_places_where_no_file_can_be(scarf, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent: make it first"):
        scarf.save(tmp_path / "absent" / "x")
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        scarf.save(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"a device or a pipe, and no file.*pipe"):
        scarf.save(tmp_path / "pipe")
    with pytest.raises(OSError, match="the name is too long") as caught:
        scarf.save(tmp_path / ("é" * 128))
    assert caught.value.errno == errno.ENAMETOOLONG


@pytest.mark.parametrize("name", ["n" * 255, "é" * 127, "n" * 200, "n" * 201])
def test_all_names_that_a_file_can_have(scarf, tmp_path, name):
    scarf.save(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]


KILLED = """
import os, sys
from skgex._new_file import new_file

with new_file(sys.argv[1]) as new:
    new.write_text("half")
    os._exit(1)
"""


@pytest.mark.parametrize("name", ["model.safetensors", "n" * 230])
def test_what_a_killed_process_left_is_removed_by_the_next(scarf, tmp_path, name):
    path = tmp_path / name
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert len(list(tmp_path.glob(".*.partial"))) == 1
    other = tmp_path / ".other.safetensors.abcdef-1-abcdefgh.partial"
    other.write_text("of another file")
    scarf.save(path)
    assert {*tmp_path.iterdir()} == {path, other}


def test_what_others_are_writing_is_left(scarf, path):
    parent = _stem(path) + _writer(os.getppid()) + "abcdefgh.partial"
    elsewhere = f"{_stem(path)}000000-1-abcdefgh.partial"
    old = f"{_stem(path)}000000-1-xxxxxxxx.partial"
    earlier, old_one = (f"{_stem(path)}{end}.partial" for end in ("a" * 8, "b" * 8))
    for name in (parent, elsewhere, earlier, old, old_one):
        path.with_name(name).write_text("half")
    for name in (old, old_one):
        os.utime(path.with_name(name), (1, 1))
    scarf.save(path)
    names = {p.name for p in path.parent.iterdir()}
    assert names == {path.name, parent, elsewhere, earlier}
