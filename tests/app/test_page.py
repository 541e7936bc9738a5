"""The web page in a real browser: every tab does its job, and says what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stegfield import cli, fields, fixednet, hiding, signals
from stegfield.errors import ConfigError, StegfieldError
from stegfield.keys import Key, KeyFile, Passphrase
from stegfield.signals import to_samples, waves

SOON = 60_000
"""Milliseconds to wait for something that a busy machine may be slow with."""
SECRET = "a long sentence"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page keeps its visitors' files."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def address(folder: Path, serving: Any) -> Iterator[str]:
    """The page as a user has it."""
    pytest.importorskip("gradio", reason="the web page takes stegfield[app]")
    with serving(folder, "--max-upload", "1", "--max-seconds", "30") as at:
        yield at


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A new visitor, who loads nothing from elsewhere and meets no error of the page's own."""
    context = browser.new_context(accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(SOON)
    elsewhere, errors = [], []
    opened.on("request", lambda request: elsewhere.append(request.url))
    opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    opened.goto(address)
    opened.get_by_role("tab", name="Embed").wait_for()
    yield opened
    local = ("http://127.0.0.1", "data:", "blob:")
    assert [url for url in elsewhere if not url.startswith(local)] == []
    assert errors == []
    context.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return drawn(tmp_path / "photo.png", 64, 48)


def drawn(path: Path, rows: int, columns: int, phase: float = 0.0) -> Path:
    Image.fromarray(to_samples(waves(rows, columns, phase=phase))).save(path)
    return path


def tab(page: Any, name: str) -> Any:
    """Go to a tab, and give its panel."""
    page.get_by_role("tab", name=name, exact=True).click()
    panel = page.locator("[role=tabpanel]:visible")
    panel.get_by_role("button", name=BUTTONS[name], exact=True).wait_for()
    return panel


BUTTONS = {
    "Embed": "Embed",
    "Extract": "Extract",
    "Hide": "Hide",
    "Reveal": "Reveal",
    "Render": "Render",
    "Generate": "Generate",
    "Detect": "Detect",
    "Compare": "Compare",
    "Keys": "Make a key file",
}


def choose(panel: Any, label: str, path: Path) -> None:
    """Upload a file, and wait until it is there."""
    block = panel.locator(".block", has=panel.page.get_by_text(label, exact=True)).first
    block.locator("input[type=file]").set_input_files(path)
    panel.get_by_text(path.stem, exact=False).first.wait_for()


def press(panel: Any, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


def said(panel: Any, role: str = "status") -> str:
    """Wait for what the tab says in the end."""
    told = panel.get_by_role(role)
    told.wait_for(timeout=2 * SOON)
    return str(told.inner_text())


def taken(panel: Any, folder: Path) -> Path:
    """Take the result away."""
    with panel.page.expect_download() as download:
        panel.locator("a[download]").last.click()
    path = folder / str(download.value.suggested_filename)
    download.value.save_as(path)
    return path


def test_a_message_goes_into_a_picture_and_comes_out(page: Any, photo: Path) -> None:
    panel = tab(page, "Embed")
    choose(panel, "Cover", photo)
    panel.get_by_label("Message", exact=True).fill("meet me at noon")
    panel.get_by_label("Passphrase").fill(SECRET)
    press(panel, "Embed")
    assert "15 bytes" in said(panel)
    panel.get_by_text("What changed: magnified").wait_for()
    stego = taken(panel, photo.parent)
    assert fixednet.extract(signals.read(stego), Passphrase(SECRET)) == b"meet me at noon"

    panel = tab(page, "Extract")
    choose(panel, "Picture", stego)
    panel.get_by_label("Passphrase").fill("another sentence")
    press(panel, "Extract")
    assert "nothing can be read with this key" in said(panel, "alert")
    panel.get_by_label("Passphrase").fill(SECRET)
    press(panel, "Extract")
    assert "15 bytes" in said(panel)
    assert panel.get_by_label("Message", exact=True).input_value() == "meet me at noon"
    assert taken(panel, photo.parent).read_bytes() == b"meet me at noon"


def test_images_are_hidden_revealed_and_rendered(page: Any, photo: Path) -> None:
    folder = photo.parent
    panel = tab(page, "Hide")
    choose(panel, "Cover", photo)
    press(panel, "Add a secret")
    for number in (1, 2):
        choose(panel, f"Secret {number}", drawn(folder / f"one{number}.png", 32, 32, float(number)))
        panel.get_by_label(f"Passphrase {number}").fill(f"{SECRET} {number}")
    press(panel, "Add a secret")
    choose(panel, "Secret 3", drawn(folder / "decoy.png", 32, 32, 3.0))
    panel.get_by_label("Decoy 3").check()
    panel.get_by_label("Seconds to train").first.fill("8")
    panel.get_by_label("Pictures that the field shows", exact=False).check()
    panel.get_by_label("SIREN: ", exact=False).check()
    press(panel, "Hide")
    panel.get_by_text("cover ").first.wait_for()
    panel.get_by_alt_text("").first.wait_for()
    told = said(panel)
    assert re.search(r"secrets [\d.]+, [\d.]+, [\d.]+ dB", told)
    assert "Note" not in told
    field = taken(panel, folder)
    revealed = hiding.reveal_function(fields.load(field), Passphrase(f"{SECRET} 2")).signal
    assert revealed.size == (32, 32)

    panel = tab(page, "Reveal")
    choose(panel, "Field", field)
    panel.get_by_label("Passphrase").fill("another sentence")
    press(panel, "Reveal")
    assert "nothing can be read with this key" in said(panel, "alert")
    panel.get_by_label("Passphrase").fill(f"{SECRET} 1")
    press(panel, "Reveal")
    assert "32x32" in said(panel)
    assert signals.read(taken(panel, folder)).size == (32, 32)

    panel = tab(page, "Render")
    choose(panel, "Field", field)
    panel.get_by_label("Points of the longest side").first.fill("100")
    press(panel, "Render")
    assert "75x100" in said(panel)
    assert signals.read(taken(panel, folder)).size == (100, 75)

    panel = tab(page, "Detect")
    choose(panel, "Or a field", field)
    press(panel, "Detect")
    assert "mantissa" in said(panel)


def test_files_are_hidden_and_revealed(page: Any, photo: Path) -> None:
    folder = photo.parent
    letter, other = folder / "letter.txt", drawn(folder / "two.png", 24, 32, 2.0)
    letter.write_text("Meet me at noon.")
    panel = tab(page, "Hide")
    choose(panel, "Cover", photo)
    press(panel, "Add a secret")
    choose(panel, "Secret 1", letter)
    panel.get_by_label("Passphrase 1").fill(SECRET)
    choose(panel, "Secret 2", other)
    KeyFile(Key.generate()).write(folder / "bob.key")
    panel.get_by_text("Key file 2 instead").click()
    choose(panel, "Key file 2", folder / "bob.key")
    panel.get_by_label("Seconds to train").first.fill("8")
    press(panel, "Hide")
    assert "16" in said(panel)
    field = taken(panel, folder)

    panel = tab(page, "Reveal")
    choose(panel, "Field", field)
    panel.get_by_label("Passphrase").fill(SECRET)
    press(panel, "Reveal")
    assert "A file of 16 bytes" in said(panel)
    assert panel.get_by_label("The secret, as text").input_value() == "Meet me at noon."
    assert taken(panel, folder).suffix == ".txt"
    panel.get_by_label("Passphrase").fill("")
    panel.get_by_text("A key file instead").click()
    choose(panel, "Key file", folder / "bob.key")
    press(panel, "Reveal")
    panel.get_by_text("A file of 16 bytes").wait_for(state="detached")
    assert f"A file of {other.stat().st_size:,} bytes" in said(panel)
    revealed = taken(panel, folder)
    assert revealed.suffix == ".png"
    assert revealed.read_bytes() == other.read_bytes()


def test_a_key_file_is_made_and_told_by_its_fingerprint(page: Any, tmp_path: Path) -> None:
    panel = tab(page, "Keys")
    press(panel, "Make a key file")
    told = re.search(r"fingerprint ([0-9a-f-]{19})", said(panel))
    assert told is not None
    key = taken(panel, tmp_path)
    assert KeyFile.read(key).key.fingerprint == told[1]
    choose(panel, "Or look at a key file", key)
    press(panel, "Show its fingerprint")
    panel.get_by_text(f"Fingerprint {told[1]}.").wait_for()
    press(panel, "Make a passphrase of six random words")
    words = panel.get_by_label("Passphrase made")
    words.wait_for()
    assert len(words.input_value().split()) == 6


def test_two_pictures_are_compared(page: Any, photo: Path, tmp_path: Path) -> None:
    panel = tab(page, "Compare")
    samples = np.array(Image.open(photo))
    samples[0, :16] ^= 1
    Image.fromarray(samples).save(tmp_path / "other.png")
    choose(panel, "Original", photo)
    choose(panel, "What to compare with it", tmp_path / "other.png")
    press(panel, "Compare")
    assert "PSNR" in said(panel)
    panel.get_by_text("Where they differ").wait_for()


def test_a_run_is_stopped_and_keeps_what_there_is(page: Any, photo: Path) -> None:
    panel = tab(page, "Hide")
    panel.get_by_label("Pictures that the field shows", exact=False).check()
    choose(panel, "Cover", photo)
    choose(panel, "Secret 1", drawn(photo.parent / "one.png", 32, 32, 1.0))
    panel.get_by_label("Passphrase 1").fill(SECRET)
    panel.get_by_label("Seconds to train").first.fill("100")
    press(panel, "Hide")
    panel.get_by_text("s left").wait_for()
    press(panel, "Stop and keep what there is")
    told = said(panel)
    seconds = re.search(r"in (\d+) s", told)
    assert seconds is not None
    assert int(seconds[1]) < 90
    assert hiding.reveal_function(
        fields.load(taken(panel, photo.parent)), Passphrase(SECRET)
    ).certain


def test_a_cover_is_drawn_with_a_message_in_it(page: Any, tmp_path: Path) -> None:
    panel = tab(page, "Generate")
    panel.get_by_label("Points of the longer side").first.fill("64")
    panel.get_by_label("Message, if any").fill("meet me at noon")
    panel.get_by_label("Passphrase").fill(SECRET)
    press(panel, "Generate")
    assert "15 bytes" in said(panel)
    stego = taken(panel, tmp_path)
    assert fixednet.extract(signals.read(stego), Passphrase(SECRET)) == b"meet me at noon"
    panel.get_by_label("Message, if any").fill("")
    press(panel, "Generate")
    panel.get_by_text("15 bytes").wait_for(state="detached", timeout=2 * SOON)
    assert said(panel)
    assert taken(panel, tmp_path).name == stego.name  # it tells nothing
    panel.get_by_label("Seed").fill("no number")
    press(panel, "Generate")
    assert "the seed must be a number" in said(panel, "alert")


def test_a_picture_is_judged(page: Any, photo: Path) -> None:
    panel = tab(page, "Detect")
    choose(panel, "Picture", photo)
    press(panel, "Detect")
    assert said(panel)
    panel.get_by_text("detector").first.wait_for()


def test_mistakes_are_told_in_the_librarys_sentences(page: Any, tmp_path: Path) -> None:
    panel = tab(page, "Embed")
    press(panel, "Embed")
    assert "the cover is missing" in said(panel, "alert")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    choose(panel, "Cover", broken)
    panel.get_by_label("Message", exact=True).fill("x")
    panel.get_by_label("Passphrase").fill(SECRET)
    press(panel, "Embed")
    panel.get_by_text("broken.png is not an image").wait_for()


def test_the_page_can_be_used_by_keyboard_on_a_narrow_screen(
    browser: Any, address: str, photo: Path
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SOON)
    page.goto(address)
    page.get_by_role("tab", name="Embed").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    panel = tab(page, "Embed")
    choose(panel, "Cover", photo)
    # keys at a machine's pace may meet the page while it makes room for this
    panel.locator(".block", has_text="Cover, as it was read").locator("img").wait_for()
    panel.get_by_label("Message", exact=True).focus()
    page.keyboard.type("meet me")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "password":
            break
    page.keyboard.type(SECRET)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "Embed":
            break
    # the button, not the tab of the same name
    assert page.evaluate("document.activeElement.closest('[role=tabpanel]') !== null")
    page.keyboard.press("Enter")
    assert "7 bytes" in said(panel)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    context.close()


def test_a_visitors_files_are_theirs_and_go_when_they_leave(
    page: Any, browser: Any, address: str, folder: Path, tmp_path: Path
) -> None:
    photo = drawn(tmp_path / "holiday.png", 40, 40)  # nobody else's
    panel = tab(page, "Embed")
    choose(panel, "Cover", photo)
    panel.get_by_label("Message", exact=True).fill("meet me at noon")
    panel.get_by_label("Passphrase").fill(SECRET)
    press(panel, "Embed")
    said(panel)
    link = str(panel.locator("a[download]").last.get_attribute("href"))
    [uploaded] = [path for path in folder.rglob("holiday.png") if path.is_file()]
    links = [link, f"{link.partition('file=')[0]}file={uploaded}"]
    assert [page.request.get(each).status for each in links] == [200, 200]
    other = browser.new_context()
    for each in [*links, f"{address}gradio_api/file=/etc/hostname"]:
        assert other.request.get(each).status == 404
    kept = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in data for data in kept)

    elsewhere = other.new_page()  # who comes while another leaves
    elsewhere.goto(address)
    page.goto("about:blank")
    for _ in range(100):
        left = {name for _, _, names in os.walk(folder) for name in names}  # some go meanwhile
        if not left & {uploaded.name, "holiday-stego.png"}:
            break
        elsewhere.wait_for_timeout(200)
    assert not left & {uploaded.name, "holiday-stego.png"}
    other.close()


def test_another_sites_page_cannot_pose_as_this_one(browser: Any, address: str) -> None:
    context = browser.new_context(extra_http_headers={"Host": "elsewhere.example"})
    assert context.request.get(address, headers={"Host": "elsewhere.example"}).status == 400
    context.close()


def test_the_app_warns_where_others_can_reach_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stegfield.app.serve", lambda *args, **more: None)
    assert cli.run(["app", "--host", "0.0.0.0"]) == 0
    assert "warning: everyone who can reach 0.0.0.0" in capsys.readouterr().err
    assert cli.run(["app", "--max-seconds", "0"]) == 2
    assert cli.run(["app", "--port", "70000"]) == 2


def test_a_port_that_is_taken_is_one_line(address: str) -> None:
    port = address.rstrip("/").rpartition(":")[2]
    ended = subprocess.run(
        [sys.executable, "-m", "stegfield", "app", "--port", port],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert f"error: cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_is_fetched_for_a_visitor(page: Any, address: str) -> None:
    elsewhere = {"path": "https://elsewhere.example/x.png", "meta": {"_type": "gradio.FileData"}}
    asked = {"fn_index": 2, "data": [elsewhere], "session_hash": "abc"}
    for data in (asked, {**asked, "data": [[{"more": elsewhere}]]}, {"fill": "x" * (1 << 25)}):
        answered = page.request.post(f"{address}gradio_api/run/predict", data=data)
        assert answered.status == 400


def test_a_visitor_is_known_among_cookies_of_other_pages(page: Any, address: str) -> None:
    cookie = page.context.cookies()[0]
    page.context.clear_cookies()
    others = {"name": "other", "value": '{"a": "b c"}', "url": address}
    page.context.add_cookies([others, cookie])
    answered = page.request.get(address)
    assert "set-cookie" not in answered.headers


def test_who_has_left_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="the web page takes stegfield[app]")
    from stegfield.app.session import Desk, Visit
    from stegfield.app.visitors import Visitors
    from stegfield.config import AppConfig

    desk = Desk(AppConfig(), Visitors(tmp_path))
    visit = Visit(desk, "alice", "page")
    assert desk.visitors.enter("alice", "page")
    assert Path(visit.put("one.txt", b"1")).exists()
    desk.visitors.leave("alice", "page")
    with pytest.raises(StegfieldError, match="closed"):
        visit.put("two.txt", b"2")
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_limited_in_points(tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="the web page takes stegfield[app]")
    from stegfield.app.session import Desk, Visit
    from stegfield.app.visitors import Visitors
    from stegfield.app.work import sampling
    from stegfield.config import AppConfig

    desk = Desk(AppConfig(max_megapixels=0.01), Visitors(tmp_path))
    visit = Visit(desk, "alice", "page")
    assert desk.visitors.enter("alice", "page")
    field = fields.new_field(waves(16, 16))
    with pytest.raises(ConfigError, match="10,100 points are too many"):
        fields.render(field, (101, 100), watch=sampling(visit.largest))
    large = drawn(desk.visitors.home("alice") / "large.png", 101, 100)
    with pytest.raises(StegfieldError, match="100x101 pixels"):
        visit.signals([(str(large), "the cover")])


def test_uploads_are_refused_where_there_is_no_room(
    browser: Any, serving: Any, tmp_path: Path
) -> None:
    pytest.importorskip("gradio", reason="the web page takes stegfield[app]")
    folder = tmp_path / "kept"
    folder.mkdir()
    half, key = tmp_path / "half.bin", tmp_path / "one.key"
    half.write_bytes(bytes(600_000))
    key.write_bytes(b"x")
    with serving(folder, "--max-stored", "1") as address:
        page = browser.new_context().new_page()
        page.set_default_timeout(SOON)
        page.goto(address)
        panel = tab(page, "Embed")
        choose(panel, "Or a file", half)
        half.write_bytes(bytes(600_001))
        other = browser.new_context().new_page()
        other.set_default_timeout(SOON)
        other.goto(address)
        refused = tab(other, "Embed")
        block = refused.locator(".block", has=other.get_by_text("Or a file", exact=True)).first
        block.locator("input[type=file]").set_input_files(half)
        other.get_by_text("there is no room for more files").first.wait_for()
        small = other.request.post(f"{address}gradio_api/upload", multipart={"files": key})
        assert small.ok
        kept = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        assert kept < 700_000
        page.context.close()
        other.context.close()


def test_without_gradio_the_command_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['gradio'] = None; from stegfield import cli; "
        "sys.exit(cli.run(['app', '--port', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: the web page needs the package gradio, which is not installed",
        "hint: install it with: pip install 'stegfield[app]'",
    ]
