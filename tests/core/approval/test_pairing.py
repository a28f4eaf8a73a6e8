"""The number that a terminal and the page that signs it in both show."""

import re

from agen_authz.core.approval.pairing import bind_challenge, challenge_of, match_number


def test_number_is_eight_digits_and_another_for_another_terminal():
    numbers = {match_number(challenge_of(f"{at:043d}")) for at in range(1000)}
    assert (len(numbers), all(re.fullmatch(r"\d{4}-\d{4}", each) for each in numbers)) == (1000, True)


def test_challenge_is_bound_to_one_console_however_its_address_is_written():
    here = bind_challenge("v", "https://approve.example/a")
    assert bind_challenge("v", "https://Approve.Example:443/a/") == here
    others = ["https://approve.example", "https://approve.example:8443/a", "https://approve.example/A"]
    assert here not in {bind_challenge("v", each) for each in others} | {challenge_of("v")}
