import pytest

from petitions.errors import ConfigError, PermanentError
from petitions.store.artifacts import ArtifactStore


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_what_is_written_is_read_listed_and_there(tmp_path, scheme):
    store = ArtifactStore(f"{scheme}{tmp_path}/artifacts")
    assert store.list() == store.list("raw") == []
    store.write("raw/a/2.bin", b"two")
    store.write("raw/a/1.bin", b"")
    store.write("raw/a/1.bin", b"one")
    store.write("reports/x.html", b"x")
    assert store.read("raw/a/1.bin") == b"one"
    assert store.list("raw") == ["raw/a/1.bin", "raw/a/2.bin"]
    assert store.list() == ["raw/a/1.bin", "raw/a/2.bin", "reports/x.html"]
    assert (store.exists("raw/a/1.bin"), store.exists("raw/a"), store.exists("raw/a/3.bin")) == (True, False, False)


def test_a_relative_folder_is_a_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ArtifactStore(".local/artifacts").write("a.bin", b"a")
    assert (tmp_path / ".local" / "artifacts" / "a.bin").read_bytes() == b"a"


def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    store = ArtifactStore(str(tmp_path))
    store.write("a.bin", b"old")

    def break_off(handle):
        raise OSError("no space left on device")

    monkeypatch.setattr("petitions.store.artifacts.os.fsync", break_off)
    with pytest.raises(OSError, match="no space"):
        store.write("a.bin", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    assert store.read("a.bin") == b"old"


def test_an_unfinished_file_of_a_killed_writer_is_not_listed(tmp_path):
    (tmp_path / ".unfinished-x").write_bytes(b"half")
    assert ArtifactStore(str(tmp_path)).list() == []


@pytest.mark.parametrize("path", ["../a", "a/../b", "/etc/x", "a//b", "", ".", "a\\b", "s3://b/a", "a*"])
def test_a_path_that_leads_out_of_the_store_is_refused(tmp_path, path):
    with pytest.raises(ConfigError, match="relative"):
        ArtifactStore(str(tmp_path)).write(path, b"x")


def test_a_missing_file_and_an_unknown_address_are_named(tmp_path):
    with pytest.raises(PermanentError, match=r"no artifact a.bin"):
        ArtifactStore(str(tmp_path)).read("a.bin")
    with pytest.raises(ConfigError, match="PETITIONS_ARTIFACTS"):
        ArtifactStore("nowhere://x")
