"""Whatever enters the trail can be said in words."""

import re

from cpms import ROOT
from cpms.audit import words
from cpms.core.db import db

SOURCES = sorted((ROOT / "cpms").rglob("*.py"))


def test_every_action_has_its_words() -> None:
    written = "\n".join(path.read_text() for path in SOURCES)
    actions = set(re.findall(r'(?:transaction|_end_this_session)\(\s*"([a-z_]+\.[a-z_]+)"', written)) | {
        "backup.restore"
    }
    assert actions - set(words.ACTIONS) == set()
    elsewhere = "".join(path.read_text() for path in SOURCES if path.name != "words.py")
    assert [name for name in words.ACTIONS if f'"{name}"' not in elsewhere] == [], "words of actions that are no more"


def test_every_column_that_leaves_a_trace_has_a_label() -> None:
    housekeeping = {"created_at", "updated_at", "row_version"}
    missing = [
        str(column)
        for table in db.metadata.sorted_tables
        if "unaudited" not in table.info
        for column in table.columns
        if not (column.primary_key or column.key in housekeeping or column.info.get("derived"))
        and column.key not in words.LABELS.get(table.name, {})
    ]
    assert missing == []
