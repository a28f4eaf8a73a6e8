"""Keys in a directory: found by id, read again without a restart, refused when they are no keys."""

import os
import re

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


def test_half_a_change_keeps_what_was_good(folder, elapsed):
    keys = KeyDirectory(folder, elapsed=elapsed)
    (folder / "crm-2").write_bytes(b"half")
    elapsed.seconds += 2
    assert [keys.get("crm-2"), keys.get("crm-1")] == [None, KEY]


def test_directory_without_a_key_is_no_source_of_keys(tmp_path):
    with pytest.raises(ValueError, match=re.escape(f"there is no key in {tmp_path}")):
        KeyDirectory(tmp_path)


def test_short_key_is_refused(tmp_path):
    (tmp_path / "k").write_bytes(b"x" * 32)
    (tmp_path / "short").write_bytes(b"x" * 31 + b"\n")
    with pytest.raises(ValueError, match="`short` is shorter than 32 bytes"):
        KeyDirectory(tmp_path)


def test_missing_directory_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        KeyDirectory(tmp_path / "none")


def test_verifier_takes_a_directory(folder):
    assert isinstance(outcome(arrive(), verifier(KeyDirectory(folder))), Identity)
