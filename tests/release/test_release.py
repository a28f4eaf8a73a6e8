"""`make release`: what is built from a commit, and what is said about it."""

import gzip
import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from tools.package import without_times
from tools.provenance import Builder, Source, render_statement, render_sums
from tools.release import find_pins

ROOT = Path(__file__).resolve().parent.parent.parent
EPOCH = 1_700_000_000
DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def pack(times: int, owner: str, names: tuple[str, ...]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uname = len(name), times, owner
            member.mode = 0o664 if times else 0o600
            archive.addfile(member, io.BytesIO(name.encode()))
    return out.getvalue()


def test_sdists_that_differ_in_times_owners_modes_and_order_become_the_same_bytes():
    one, other = pack(0, "me", ("a/b", "a/c")), pack(99, "you", ("a/c", "a/b"))
    assert one != other
    assert without_times(one, EPOCH) == without_times(other, EPOCH)
    with tarfile.open(fileobj=io.BytesIO(without_times(one, EPOCH))) as archive:
        assert [(member.name, member.mtime, member.mode) for member in archive] == [
            ("a/b", EPOCH, 0o644),
            ("a/c", EPOCH, 0o644),
        ]


def test_sdist_with_another_content_is_another_sdist():
    assert without_times(pack(0, "me", ("a/b",)), EPOCH) != without_times(pack(0, "me", ("a/c",)), EPOCH)


def test_gzip_of_an_sdist_names_no_file_and_has_the_time_of_the_commit():
    packed = without_times(pack(0, "me", ("a/b",)), EPOCH)
    assert (packed[3], int.from_bytes(packed[4:8], "little")) == (0, EPOCH)
    assert gzip.decompress(packed)


def test_statement_names_every_file_the_commit_and_the_locks(tmp_path):
    file = tmp_path / "a.whl"
    file.write_bytes(b"hello")
    source = Source("c0ffee", {"requirements/server.txt": b"hello"})
    statement = render_statement([file], source, Builder("urn:ci", {"python": "3.13.1"}))
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a.whl", "digest": {"sha256": DIGEST}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:agen-authz:make-release:1",
                "externalParameters": {"commit": "c0ffee"},
                "internalParameters": {"python": "3.13.1"},
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": "c0ffee"}},
                    {"name": "requirements/server.txt", "digest": {"sha256": DIGEST}},
                ],
            },
            "runDetails": {"builder": {"id": "urn:ci"}},
        },
    }
    assert json.loads(json.dumps(statement)) == statement
    assert render_sums([file]) == f"{DIGEST}  a.whl\n"


def test_pins_of_a_package_come_with_those_of_what_it_needs_and_of_nothing_else():
    lock = (
        "#\n# made by a tool\n#\n"
        "http-sfv==1 \\\n    --hash=sha256:1\n    # via agen-authz (pyproject.toml)\n"
        "other==2 \\\n    --hash=sha256:2\n    # via\n    #   more\n"
        "typing-extensions==3 \\\n    --hash=sha256:3\n    # via\n    #   more\n    #   http-sfv\n"
    )
    assert re.findall(r"^(\S+)==", find_pins(lock, {"http-sfv"}), re.MULTILINE) == ["http-sfv", "typing-extensions"]


@pytest.mark.parametrize("name", ["build", "demo", "server"])
def test_lock_of_what_is_shipped_has_the_pins_and_hashes_of_the_development_lock(name):
    development = read_blocks("dev")
    shipped = read_blocks(name)
    assert (shipped.items() - development.items(), bool(shipped)) == (set(), True)


def read_blocks(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    pinned = re.findall(r"^(\S+)==(\S+(?: \\\n    --hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
    return dict(pinned)
