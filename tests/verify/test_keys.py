"""Keys in a directory: found by id, read again without a restart, refused when they are no keys."""

import os
import re
from pathlib import Path

import pytest

from agen_authz.core.signature import SigningKey
from agen_authz.verify import Identity, KeyDirectory, read_key
from tests.verify.signed import KEY, OTHER_KEY, arrive, outcome, verifier


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "crm-1").write_bytes(KEY + b"\n")
    (tmp_path / "..data").mkdir()
    (tmp_path / ".hidden").write_bytes(b"short")
    return tmp_path


class Elapsed:
    """Seconds that a test lets pass."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def elapsed():
    return Elapsed()


def test_file_name_is_the_id_and_one_newline_is_not_part_of_the_key(folder, elapsed):
    keys = KeyDirectory(folder, elapsed=elapsed)
    assert [keys.get("crm-1"), keys.get("..data"), keys.get(".hidden"), keys.get("crm-2")] == [KEY, None, None, None]
    (folder / "two").write_bytes(KEY + b"\n\n")
    assert read_key(folder / "two") == KEY + b"\n"


def test_rotation_needs_no_restart(folder, elapsed):
    checking = verifier(KeyDirectory(folder, elapsed=elapsed))
    new = SigningKey("crm-2", OTHER_KEY)
    said = [outcome(arrive(nonce="1" * 32), checking), outcome(arrive(key=new, nonce="2" * 32), checking)]
    (folder / "crm-2").write_bytes(OTHER_KEY)
    said += [outcome(arrive(key=new, nonce="3" * 32), checking), outcome(arrive(nonce="4" * 32), checking)]
    (folder / "crm-1").unlink()
    elapsed.seconds += 2
    said += [outcome(arrive(key=new, nonce="5" * 32), checking), outcome(arrive(nonce="6" * 32), checking)]
    assert [each if isinstance(each, str) else "verified" for each in said] == [
        "verified", "key", "verified", "verified", "verified", "key",
    ]  # fmt: skip


def test_key_that_is_replaced_in_place_is_found(folder, elapsed):
    keys = KeyDirectory(folder, elapsed=elapsed)
    staged = folder / ".new"
    staged.write_bytes(OTHER_KEY)
    staged.replace(folder / "crm-1")
    os.utime(folder, ns=(1, 1))
    elapsed.seconds += 2
    assert keys.get("crm-1") == OTHER_KEY


def test_unknown_id_finds_a_key_that_was_put_there_a_moment_ago(folder, elapsed):
    keys = KeyDirectory(folder, elapsed=elapsed)
    said = [keys.get("crm-2")]
    for key_id in ("crm-2", "crm-3"):
        (folder / key_id).write_bytes(OTHER_KEY)
        said.append(keys.get(key_id))
    assert said == [None, OTHER_KEY, OTHER_KEY]


def test_unknown_id_reads_all_files_once_a_second_at_most_without_a_new_time_stamp(folder, elapsed):
    keys = KeyDirectory(folder, elapsed=elapsed)
    stamp = folder.stat()
    (folder / "crm-2").write_bytes(OTHER_KEY)
    os.utime(folder, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert keys.get("crm-2") is None
    elapsed.seconds += 1
    assert keys.get("crm-2") == OTHER_KEY


# ---- a key that was taken out goes, whatever else is there -------------------------------------------------


def _half(folder):
    (folder / "crm-2").write_bytes(b"half")


def _not_named_like_a_key(folder):
    (folder / "read me.txt").write_bytes(b"x" * 40)


def _huge(folder):
    with (folder / "core").open("wb") as file:
        file.truncate(1 << 30)


def _leads_nowhere(folder):
    (folder / "crm-2").symlink_to(folder / "none")


def _a_folder(folder):
    (folder / "crm-2").mkdir()


ODD = {
    "half a key": (_half, "the key `crm-2` is shorter than 32 bytes"),
    "another name": (_not_named_like_a_key, "`read me.txt` is not named like a key's id"),
    "huge": (_huge, "the key `core` is longer than 65536 bytes"),
    "a link that leads nowhere": (_leads_nowhere, None),
    "a folder": (_a_folder, None),
}


def _told(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "agen_authz.verify"]


@pytest.mark.parametrize("name", ODD)
def test_key_that_was_taken_out_is_gone_though_something_there_is_not_a_key(folder, elapsed, caplog, name):
    put, told = ODD[name]
    (folder / "crm-9").write_bytes(OTHER_KEY)
    keys = KeyDirectory(folder, elapsed=elapsed)
    put(folder)
    (folder / "crm-1").unlink()
    for _ in range(3):
        elapsed.seconds += 1
        assert [keys.get("crm-1"), keys.get("crm-2"), keys.get("crm-9")] == [None, None, OTHER_KEY]
    assert _told(caplog) == ([] if told is None else [f"keys in {folder} were skipped: {told}"])


def test_key_that_was_taken_out_is_gone_though_the_time_stamp_is_the_same(folder, elapsed):
    (folder / "crm-9").write_bytes(OTHER_KEY)
    keys = KeyDirectory(folder, elapsed=elapsed)
    stamp = folder.stat()
    (folder / "crm-1").unlink()
    os.utime(folder, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    elapsed.seconds += 1
    assert [keys.get("crm-1"), keys.get("crm-9")] == [None, OTHER_KEY]


def test_file_that_is_not_a_key_at_the_start_costs_no_key_and_is_logged(folder, elapsed, caplog):
    _half(folder)
    assert KeyDirectory(folder, elapsed=elapsed).get("crm-1") == KEY
    assert _told(caplog) == [f"keys in {folder} were skipped: the key `crm-2` is shorter than 32 bytes"]


def test_what_is_wrong_again_is_logged_again(folder, elapsed, caplog):
    keys = KeyDirectory(folder, elapsed=elapsed)
    for content in (b"half", OTHER_KEY, b"half"):
        (folder / "crm-2").write_bytes(content)
        elapsed.seconds += 1
        keys.get("crm-1")
    assert len(_told(caplog)) == 2


def test_log_of_many_files_that_are_not_keys_is_short(folder, elapsed, caplog):
    for number in range(1000):
        (folder / f"odd-{number:03}").write_bytes(b"half")
    KeyDirectory(folder, elapsed=elapsed)
    (told,) = _told(caplog)
    assert told.endswith("; and 995 more") and len(told) < 500 + len(str(folder))


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="a file that nobody can read from its start is of Linux"
)
def test_file_that_cannot_be_read_costs_no_other_key(folder, elapsed, caplog):
    keys = KeyDirectory(folder, elapsed=elapsed)
    (folder / "crm-2").symlink_to("/proc/self/mem")
    elapsed.seconds += 1
    assert [keys.get("crm-1"), keys.get("crm-2")] == [KEY, None]
    (told,) = _told(caplog)
    assert told.startswith(f"keys in {folder} were skipped: `crm-2` cannot be read: ")


def test_directory_that_is_gone_holds_no_key_and_may_come_back(folder, elapsed, caplog):
    keys = KeyDirectory(folder, elapsed=elapsed)
    away = folder.with_name("away")
    folder.rename(away)
    elapsed.seconds += 1
    assert [keys.get("crm-1"), keys.get("crm-1")] == [None, None]
    assert _told(caplog) == [f"keys in {folder} were skipped: cannot be read: No such file or directory"]
    away.rename(folder)
    assert keys.get("crm-1") == KEY


def test_directory_without_a_key_is_refused(tmp_path):
    with pytest.raises(ValueError, match=re.escape(f"there is no key in {tmp_path}")):
        KeyDirectory(tmp_path)


def test_directory_of_a_short_key_says_what_is_wrong_with_it(tmp_path):
    (tmp_path / "short").write_bytes(b"x" * 31 + b"\n")
    with pytest.raises(ValueError, match=r"there is no key in .*`short` is shorter than 32 bytes"):
        KeyDirectory(tmp_path)


def test_missing_directory_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        KeyDirectory(tmp_path / "none")


def test_verifier_takes_a_directory(folder):
    assert isinstance(outcome(arrive(), verifier(KeyDirectory(folder))), Identity)
