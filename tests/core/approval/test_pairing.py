"""The number that a terminal and the page that signs it in both show."""

import re

from agen_authz.core.approval.pairing import challenge_of, match_number


def test_number_is_eight_digits_and_another_for_another_terminal():
    numbers = {match_number(challenge_of(f"{at:043d}")) for at in range(1000)}
    assert (len(numbers), all(re.fullmatch(r"\d{4}-\d{4}", each) for each in numbers)) == (1000, True)
