"""What a list is sorted by, in the alphabet of its reader."""

import pytest

from cpms.core.text import sort_key


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "tr",
            "Cibuti Çad Çin Danimarka Irak Isparta İran İzlanda Japonya Or Öz Ses Şam Tac Ur Ürdün Vietnam Yemen",
        ),
        ("en", "Afghanistan Åland Albania Cote Côté Croatia Réunion Romania Zambia"),
        ("de", "Afghanistan Ägypten Åland Albanien Osterinsel Österreich Pakistan"),
    ],
)
def test_names_stand_in_the_order_of_the_reader_s_alphabet(language: str, words: str) -> None:
    names = words.split()
    backwards = names[::-1]
    assert sorted(backwards, key=lambda each: sort_key(each, language)) == names
