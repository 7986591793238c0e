# SPDX-License-Identifier: MIT
"""Fixtures of the status site's tests. CTest sets MTA_STSD, and MTA_AXE, a folder for axe-core."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]
sys.path += [str(TESTS / "integration")]

from place import Place

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
AXE = "axe-core@4.14.1"


def give_up(reason):
    pytest.exit(f"NOT TESTED in a browser: {reason}", returncode=1 if os.environ.get("CI") else SKIPPED)


@pytest.fixture(name="place", scope="session")
def provider_place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("place")).make()
    assert place.write() == f"{place.site}: {len(place.domains)} domains\n"
    return place


@pytest.fixture(name="chromium", scope="session")
def running_chromium():
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        give_up("there are no chromium and chromium-driver")
    from browser import browser
    with browser() as driver:
        yield driver


@pytest.fixture(name="axe", scope="session")
def source_of_axe():
    folder = pathlib.Path(os.environ["MTA_AXE"])
    file = folder / "node_modules/axe-core/axe.min.js"
    if not file.exists():
        if not shutil.which("npm"):
            give_up(f"there is no npm to install {AXE} with")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--prefix", folder, AXE],
                       check=True, capture_output=True, timeout=300)
    return file.read_text(encoding="utf-8")
