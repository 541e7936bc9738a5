"""Fields become folders that a model hub understands, and go there."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stegfield import cli, fields, hiding, publishing, signals
from stegfield.config import FitConfig
from stegfield.fields import ARCHITECTURES, Field
from stegfield.keys import Key
from stegfield.signals import waves

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
"""Of torch's exporter, about itself; what it ignores, other threads may make heard again."""

FEW = FitConfig(steps=20)


class Hub(ThreadingHTTPServer):
    """A stand-in for a model hub: what its HTTP interface answers to an upload.

    Weights go by LFS, as a hub wants large files; the others come inside the commit.
    """

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.refuses = refuses
        self.stored: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()
        self.created: list[Any] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Requests(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self._body()
        self.server.tokens.add(self.headers.get("Authorization"))
        path = self.path.partition("?")[0]
        if self.server.refuses:
            self._answer({"error": "no"}, status=403)
        elif path == "/api/repos/create":
            self.server.created.append(json.loads(body))
            self._answer({"url": f"{self.server.address}/me/globe", "id": "me/globe"})
        elif path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif "/preupload/" in path:
            asked = [file["path"] for file in json.loads(body)["files"]]
            modes = {True: "lfs", False: "regular"}
            files = [
                {"path": each, "uploadMode": modes[each.endswith("tensors")], "shouldIgnore": False}
                for each in asked
            ]
            self._answer({"files": files})
        elif path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            for each in objects:
                each["actions"] = {"upload": {"href": f"{self.server.address}/lfs/{each['oid']}"}}
            self._answer({"transfer": "basic", "objects": objects})
        elif "/commit/" in path:
            self._commit([json.loads(line) for line in body.splitlines()])
        else:
            self._answer({"error": path}, status=404)

    def do_PUT(self) -> None:
        self.server.blobs[self.path.rpartition("/")[2]] = self._body()
        self._answer({})

    def do_GET(self) -> None:
        self._answer({"id": "me/globe", "sha": "0" * 40, "siblings": [], "tags": []})

    def _commit(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.server.stored[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.server.stored[value["path"]] = self.server.blobs[value["oid"]]
        address = f"{self.server.address}/me/globe/commit/{'0' * 40}"
        self._answer({"commitUrl": address, "commitOid": "0" * 40, "hookOutput": ""})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, facts: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(facts).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def hub(request: pytest.FixtureRequest) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub", reason="uploads take stegfield[publish]")
    server = Hub(refuses=getattr(request, "param", False))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def field(tmp_path: Path) -> Path:
    path = tmp_path / "public.safetensors"
    fields.save(path, fields.fit(waves(16, 20), training=FEW).field)
    return path


def export(hub: Hub, path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Export as a user would, with the hub's address and a token in the environment."""
    told = {
        "HF_ENDPOINT": hub.address,
        "HF_TOKEN": "hf_secret",
        "HF_HOME": str(path.parent / "hf"),
        "HF_HUB_DISABLE_XET": "1",  # its storage speaks another protocol than HTTP and LFS
    }
    return subprocess.run(
        [sys.executable, "-m", "stegfield", "export", str(path), *more],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_has_the_field_as_it_is_and_a_card(field: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    words = ["export", str(field), "-o", str(folder), "--licence", "cc-by-4.0"]
    assert cli.run(words) == 0
    assert (folder / "model.safetensors").read_bytes() == field.read_bytes()
    config = json.loads((folder / "config.json").read_text())
    assert (config["architecture"], config["size"]) == ("siren", [16, 20])
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-4.0\nlibrary_name: stegfield\n")
    assert "image, 20x16" in card
    assert signals.read(folder / "preview.png").size == (16, 20)
    assert cli.run(words) == 1
    assert cli.run([*words, "--force"]) == 0


def test_the_card_of_a_field_that_hides_is_that_of_a_clean_one() -> None:
    clean = fields.fit(waves(16, 16), training=FEW).field
    secret = hiding.Secret(waves(16, 16, phase=1.0), Key.generate())
    hides = hiding.hide_functions(waves(16, 16), [secret], training=FEW).field
    assert publishing.card(clean, name="x") == publishing.card(hides, name="x")
    known = publishing.folder_files(clean, name="x"), publishing.folder_files(hides, name="x")
    assert known[0].keys() == known[1].keys()
    told = [json.loads(files["config.json"]) for files in known]
    assert told[0].pop("seed") != told[1].pop("seed")
    assert told[0].pop("grain").keys() == told[1].pop("grain").keys()  # of weights that differ
    assert told[0] == told[1]


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_onnx_gives_the_values_of_the_field(architecture: str) -> None:
    pytest.importorskip("onnxscript", reason="ONNX takes stegfield[publish]")
    onnxruntime = pytest.importorskip("onnxruntime")
    field: Field = fields.fit(waves(16, 20), architecture=architecture, training=FEW).field
    data = publishing.to_onnx(field)
    at = field.coordinates((23, 7))
    session = onnxruntime.InferenceSession(data)
    [values] = session.run(None, {"coordinates": at.numpy()})
    assert abs(values - field(at).detach().numpy()).max() < 1e-5
    assert str(Path(__file__).parents[2]).encode() not in data
    assert b"fields/" not in data  # names of source files


def test_a_folder_is_uploaded(hub: Hub, field: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    more = ["-o", str(folder), "--push", "me/globe", "--private", "--json"]
    ended = export(hub, field, *more)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["address"] == f"{hub.address}/me/globe"
    assert hub.created[0]["visibility"] == "private"
    assert hub.tokens == {"Bearer hf_secret"}
    assert hub.stored == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert hashlib.sha256(field.read_bytes()).hexdigest() in hub.blobs


@pytest.mark.parametrize("hub", [True], indirect=True)
def test_a_hub_that_refuses_is_one_line(hub: Hub, field: Path, tmp_path: Path) -> None:
    ended = export(hub, field, "-o", str(tmp_path / "folder"), "--push", "me/globe")
    assert ended.returncode == 1
    assert "error: the hub refused me/globe: it said 403\nhint: log in" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hf_secret" not in ended.stderr


def test_a_hub_that_is_not_there_is_one_line(hub: Hub, field: Path, tmp_path: Path) -> None:
    hub.shutdown()
    hub.server_close()
    ended = export(hub, field, "-o", str(tmp_path / "folder"), "--push", "me/globe")
    assert ended.returncode == 1
    assert "error: the hub cannot be reached" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_what_uploads_nothing_is_written(
    field: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    words = ["export", str(field), "-o", str(tmp_path / "folder"), "--push", "me/globe"]
    assert cli.run(words) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: a hub needs the package huggingface_hub, which is not installed",
        "hint: install it with: pip install 'stegfield[publish]'",
    ]
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("name", ["me", "me/", "a/b/c", "me/..", "../me", "me/a b"])
def test_a_repository_has_two_names(
    name: str, field: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["export", str(field), "-o", str(tmp_path / "folder"), "--push", name]) == 2
    assert "is not the name of a repository" in capsys.readouterr().err
    assert not (tmp_path / "folder").exists()


def test_a_licence_cannot_write_the_card(
    field: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(field), "-o", str(tmp_path / "f"), "--licence", "mit\ntags: x"]
    assert cli.run(words) == 2
    assert "does not name a licence" in capsys.readouterr().err
