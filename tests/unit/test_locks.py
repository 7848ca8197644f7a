"""The two lock files are one set of packages: what is tested is what runs."""

import re
import tomllib

from config import ROOT


def pins(name):
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE))


def test_the_tests_run_with_the_very_packages_that_serve():
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_every_pin_has_a_hash():
    for name in ("requirements.txt", "requirements-dev.txt"):
        blocks = re.split(r"^(?=[a-z0-9._-]+==)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_every_wanted_package_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.match(r"[a-z0-9._-]+", each).group() for each in wanted}
    assert names <= pins("requirements-dev.txt").keys()
