"""Two letters for a person."""

import pytest

from cpms.web.filters import initials


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Dr Ada", "A"),
        ("Dr. Ada Keller", "AK"),
        ("Hugo Brandt", "HB"),
        ("Prof Dr Ana Maria Silva", "AS"),
        ("ışık", "I"),
        ("Dr", "D"),
        ("", ""),
    ],
)
def test_a_title_is_no_name(name: str, letters: str) -> None:
    assert initials(name) == letters
