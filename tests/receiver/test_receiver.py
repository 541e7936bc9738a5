"""The receiver's page as a file: what it is, what it carries, and that its source makes it."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stegfield import cli, receiver
from stegfield.errors import InputError

HOME = Path(__file__).parent.parent.parent
SOURCE = HOME / "receiver"
PAGE = receiver.page().decode()
LARGEST = 500_000


def policy() -> dict[str, str]:
    """Return the page's policy, by directive."""
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', PAGE)
    assert found is not None
    return dict(each.strip().partition(" ")[::2] for each in found[1].split(";"))


def test_the_page_is_small() -> None:
    assert len(PAGE.encode()) <= LARGEST


def test_the_policy_allows_the_pages_own_script_and_style_and_no_connection() -> None:
    allowed = policy()
    assert allowed.pop("default-src") == "'none'"
    assert set(allowed) == {
        "script-src",
        "style-src",
        "img-src",
        "media-src",
        "worker-src",
        "base-uri",
        "form-action",
    }
    for name in ("script", "style"):
        (text,) = re.findall(f"<{name}>(.*?)</{name}>", PAGE, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert allowed.pop(f"{name}-src") == f"'sha256-{digest}'"
    assert set(allowed.values()) == {"blob:", "'none'"}


def test_the_page_names_the_licences_of_what_is_in_it() -> None:
    for name in ("@noble/ciphers", "@noble/hashes", "fflate"):
        assert re.search(rf"^{name} \d", PAGE, re.MULTILINE)
        assert name in (HOME / "NOTICE").read_text()
    assert PAGE.count("MIT License") == 3  # one each


def test_no_registry_is_named() -> None:
    lock = (SOURCE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "omit-lockfile-registry-resolved=true" in (SOURCE / ".npmrc").read_text()


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, stego = tmp_path / "receiver.html", tmp_path / "stego.png"
    assert cli.run(["receiver", "-o", str(page)]) == 0
    assert page.read_text() == PAGE
    assert cli.run(["receiver", "-o", str(page)]) == 1
    assert "exists" in capsys.readouterr().err
    stego.write_bytes(b"any bytes")
    assert cli.run(["receiver", "-o", str(page), "--with", str(stego), "--force"]) == 0
    assert "may carry a message" in capsys.readouterr().err
    assert base64.b64encode(b"any bytes") in page.read_bytes()


def test_an_empty_file_is_not_carried(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match="is empty"):
        receiver.page(tmp_path / "empty.png")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source in a folder of its own, with the packages of its lock file."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("built")
    unwanted = shutil.ignore_patterns("node_modules", "build")
    shutil.copytree(SOURCE, folder / "receiver", ignore=unwanted)
    shutil.copy(HOME / "NOTICE", folder)
    for name in ("vectors", "keys", "slots"):
        (folder / "tests" / "golden").mkdir(parents=True, exist_ok=True)
        shutil.copy(HOME / "tests" / "golden" / f"{name}.json", folder / "tests" / "golden")
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        install, cwd=folder / "receiver", capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"npm cannot install the packages: {done.stderr.strip()[-200:]}")
    return folder / "receiver"


def test_the_page_is_what_its_source_builds(built: Path) -> None:
    subprocess.run(["node", "build.mjs", "page.html"], cwd=built, check=True)
    assert (built / "page.html").read_text() == PAGE


def test_types_and_vectors_hold_in_node(built: Path) -> None:
    for task in ("check", "test"):
        done = subprocess.run(
            ["npm", "run", task], cwd=built, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
