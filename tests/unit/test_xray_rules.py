"""Names of files, teeth, whose a file is; and the decoder's arithmetic."""

from datetime import date

import pytest
from pydicom.sr.codedict import codes

from cpms.core import teeth
from cpms.core.text import clean_line
from cpms.xrays import decoder, rules


def test_there_are_52_teeth() -> None:
    assert len(teeth.ALL) == 52
    assert not teeth.ALL & {"19", "56", "39", "86", "00", "", "1", "111"}
    assert teeth.in_order({"48", "11", "55", "21"}) == ["11", "21", "48", "55"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("smile.png", "smile.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Rita\\Desktop\\röntgen.dcm", "röntgen.dcm"),
        ("a\0b.png", "ab.png"),
        ("a\r\nSet-Cookie: x.png", "a Set-Cookie: x.png"),
        ("ağız-ışığı İ.jpg", "ağız-ışığı İ.jpg"),
        ("\u202egnp.exe", "gnp.exe"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        ("x" * 5000 + ".jpeg", "x" * 250 + ".jpeg"),
        ("x" * 5000, "x" * 255),
        ("." + "x" * 5000, "x" * 255),
    ],
)
def test_a_files_name_is_only_data(sent: str, kept: str) -> None:
    name = rules.plain_name(sent)
    assert name == kept
    assert len(name) <= rules.LONGEST_NAME and name == clean_line(name)


def test_a_file_is_taken_along_under_the_ending_of_what_it_is() -> None:
    assert rules.download_name("x.JPG", "image/jpeg") == "x.JPG"
    assert rules.download_name("x.html", "image/jpeg") == "x.html.jpg"
    assert rules.download_name("IMG0001", "application/dicom") == "IMG0001.dcm"


def test_typed_teeth() -> None:
    assert rules.teeth_in("21, 11;48  11") == ["11", "21", "48"]
    assert rules.teeth_in(" ") == []
    with pytest.raises(ValueError, match="19, x"):
        rules.teeth_in("11 x 19")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, []),
        ({"name": "Yıldız^Selma"}, []),
        ({"name": "YILDIZ^SELMA^^Dr"}, []),
        ({"name": "Selma Yildiz"}, []),
        ({"name": "Yildiz^Selma Nur"}, []),
        ({"name": "Yildiz"}, []),
        ({"name": "Yildiz^Ayla"}, ["name"]),
        ({"name": "Anonymous"}, ["name"]),
        ({"birth_date": "1985-03-02"}, []),
        ({"birth_date": "1985-03-03"}, ["birth_date"]),
        ({"name": "Kaya^Ali", "birth_date": "1985-03-03", "id": "7"}, ["name", "birth_date"]),
        ({"name": "Yildiz^Selma", "id": "900"}, []),
        ({"id": "12"}, []),
        ({"id": "0012"}, []),
        ({"id": "13"}, ["id"]),
    ],
)
def test_whose_a_file_is(said: dict[str, str], found: list[str]) -> None:
    born = date(1985, 3, 2)
    assert rules.differences(said, first="Selma", last="Yıldız", born=born, chart_no=12) == found


def test_every_coded_tooth_of_the_standard_has_its_fdi_code() -> None:
    """DICOM's lists of teeth: 32 permanent ones (CID 4018) and 20 primary ones (CID 4019)."""
    for cid, expected in ((4018, teeth.PERMANENT), (4019, teeth.PRIMARY)):
        coded = getattr(codes, f"CID{cid}").concepts.values()
        found = [decoder.tooth(code.scheme_designator, code.value, code.meaning) for code in coded]
        assert sorted(each for each in found if each) == sorted(expected), cid


def test_a_tooth_by_number_or_by_words() -> None:
    assert decoder.tooth("ISO3950", "46", "") == "46"
    assert decoder.tooth("FDI", "19", "") is None
    assert decoder.tooth("SRT", "T-54210", "Permanent upper left first bicuspid tooth") == "24"
    assert decoder.tooth("SRT", "T-1", "Mandible") is None
    assert decoder.tooth("SRT", "T-1", "Maxillary right supernumerary third molar") is None
