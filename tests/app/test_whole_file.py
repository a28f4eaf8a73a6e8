"""A file is read only when whoever wrote it has closed it and nothing has changed since the look before."""

import pytest

from agen_authz.whole_file import Settling, is_open_for_writing, stamp


@pytest.fixture
def file(tmp_path):
    written = tmp_path / "agen.yaml"
    written.write_text("version: 1\n", "utf-8")
    return written


def looks(settling: Settling, *files, number: int = 1) -> list[bool]:
    return [settling.is_whole({str(each): stamp(each) for each in files}, map(str, files)) for _ in range(number)]


def test_kernel_says_whether_a_file_is_open_for_writing(file):
    said = [is_open_for_writing(file)]
    with file.open("a", encoding="utf-8"):
        said.append(is_open_for_writing(file))
    with file.open("r", encoding="utf-8"):
        said.append(is_open_for_writing(file))
    assert said == [False, True, False]


def test_file_that_is_not_there_has_no_stamp_and_no_writer(tmp_path):
    assert (stamp(tmp_path / "none"), is_open_for_writing(tmp_path / "none")) == (None, None)


def test_two_looks_that_agree_are_needed(file):
    assert looks(Settling(is_open_for_writing), file, number=2) == [False, True]


def test_change_between_two_looks_starts_the_wait_again(file):
    settling = Settling(is_open_for_writing)
    seen = looks(settling, file)
    file.write_text("version: 1\nserver: {}\n", "utf-8")
    assert seen + looks(settling, file, number=2) == [False, False, True]


def test_file_that_is_open_for_writing_is_never_whole_however_long_it_rests(file):
    settling = Settling(is_open_for_writing)
    with file.open("a", encoding="utf-8"):
        assert looks(settling, file, number=10) == [False] * 10
        assert settling.busy == (str(file),)
    assert looks(settling, file) == [True]


def test_one_file_that_is_written_keeps_the_others_waiting(file, tmp_path):
    other = tmp_path / "key"
    other.write_bytes(b"1" * 32)
    settling = Settling(is_open_for_writing)
    with other.open("ab"):
        assert looks(settling, file, other, number=3) == [False] * 3
    assert looks(settling, file, other) == [True]


def test_file_of_another_owner_must_rest_for_longer(file):
    assert looks(Settling(lambda _: None), file, number=6) == [False] * 5 + [True]


def test_file_that_was_removed_is_reported_after_two_looks(tmp_path):
    assert looks(Settling(is_open_for_writing), tmp_path / "gone", number=2) == [False, True]
