"""What a second visitor, another site's page and somebody with a leaked address try, in vain."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fastapi
import gradio as gr
import httpx
import pytest
from gradio import routes
from starlette.routing import Mount

from stegfield.app.field_tabs import AS_FUNCTIONS, KINDS, MOST_SECRETS
from stegfield.app.gate import LARGEST_REQUEST, MOST_RUNS, MOST_VALUES, ROUTES, SHARE, Gate
from stegfield.app.kept import Kept
from stegfield.app.session import Desk
from stegfield.app.visitors import COOKIE, MOST_PAGES, Visitors
from stegfield.config import AppConfig
from stegfield.signals import encode, waves

API = "/gradio_api"
PHOTO = encode(waves(48, 64), ".png")


@dataclass
class Served:
    """A page that is served on this machine, by a process of its own."""

    address: str
    files: Visitors
    """Where its visitors' files are; it knows nothing of who is there."""

    def visitor(self, source: str = "127.0.0.1") -> Visitor:
        return Visitor(self, source)

    def kept(self) -> list[Path]:
        return [path for path in self.files.folder.rglob("*") if not path.is_dir()]


@dataclass
class Visitor:
    """A browser that has the page open, as a program that may ask for anything."""

    served: Served
    source: str = "127.0.0.1"
    """Where it seems to be, as a proxy on this machine tells."""
    page: str = field(default_factory=lambda: secrets.token_hex(6))
    stack: ExitStack = field(default_factory=ExitStack)
    beats: list[Iterator[str]] = field(default_factory=list)

    def __enter__(self) -> Visitor:
        seen = {"x-forwarded-for": self.source}
        client = httpx.Client(base_url=self.served.address, timeout=30, headers=seen)
        self.http = self.stack.enter_context(client)
        assert self.http.get("/").status_code == 200
        assert self.open(self.page) == 200
        assert self.home.is_dir()
        return self

    def __exit__(self, *_: object) -> None:
        home = self.home
        self.stack.close()
        until(lambda: not home.exists())

    @property
    def home(self) -> Path:
        return self.served.files.home(str(self.http.cookies[COOKIE]))

    def open(self, page: str) -> int:
        """Open a page that stays open; give the status."""
        beats = self.stack.enter_context(self.http.stream("GET", f"{API}/heartbeat/{page}"))
        if beats.status_code == 200:
            self.beats.append(beats.iter_lines())  # it closes once nobody refers to it
            assert "ALIVE" in next(self.beats[-1])
        return int(beats.status_code)

    def upload(
        self,
        data: bytes = PHOTO,
        name: str = "photo.png",
        headers: dict[str, str] | None = None,
    ) -> Any:
        return self.http.post(f"{API}/upload", files={"files": (name, data)}, headers=headers)

    def photo(self) -> dict[str, Any]:
        """Upload a photo; give how the page names it."""
        [path] = self.upload().json()
        return {"path": path, "meta": {"_type": "gradio.FileData"}}

    def ask(
        self, button: str, data: list[Any], page: str | None = None, number: int | None = None
    ) -> Any:
        """Press a button of the page."""
        number = function(self.http, button) if number is None else number
        body = {"data": data, "fn_index": number, "session_hash": page or self.page}
        return self.http.post(f"{API}/queue/join", json=body)

    def answer(self, page: str | None = None) -> str:
        """Read what the page is told, to the end of the run."""
        asked = {"session_hash": page or self.page}
        return str(self.http.get(f"{API}/queue/data", params=asked).text)


def config(http: Any, at: str = "/") -> dict[str, Any]:
    """Read how the page is laid out, as it says itself."""
    found = re.search(r"window\.gradio_config = (\{.*?\});</script>", http.get(at).text, re.DOTALL)
    assert found is not None
    layout: dict[str, Any] = json.loads(found[1])
    return layout


def function(http: Any, button: str) -> int:
    """Give the number of what a button does."""
    layout = config(http)
    [pressed] = [
        part["id"]
        for part in layout["components"]
        if part["type"] == "button" and part["props"]["value"] == button
    ]
    [number] = [
        each["id"] for each in layout["dependencies"] if [pressed, "click"] in each["targets"]
    ]
    return int(number)


def hiding(seconds: float, secret: dict[str, Any]) -> list[Any]:
    """Give the inputs of the tab that hides, behind the cover."""
    row, nobody = [secret, "six words are not so few", None, False], [None, "", None, False]
    return [AS_FUNCTIONS, seconds, next(iter(KINDS)), *row, *nobody * (MOST_SECRETS - 1)]


def until(holds: Callable[[], bool]) -> None:
    """Wait for what the server does a moment after a connection has ended."""
    waiting = threading.Event()
    for _ in range(1500):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not happen within 15 seconds")


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine, apart from the loop that drives the browser."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, serving: Any) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    limits = ("--max-upload", "1", "--max-stored", "4", "--max-seconds", "30")
    with serving(folder, *limits) as address:
        [files] = folder.glob("stegfield-app-*")
        yield Served(address.rstrip("/"), Visitors(files))


@pytest.fixture
def alice(served: Served) -> Iterator[Visitor]:
    with served.visitor() as visitor:
        yield visitor


@pytest.fixture
def bob(served: Served) -> Iterator[Visitor]:
    with served.visitor() as visitor:
        yield visitor


# Everybody


def test_of_all_that_gradio_serves_only_what_the_page_asks_for_passes(alice: Visitor) -> None:
    source = Path(routes.__file__).read_text()
    declared = re.findall(r"@(app|router)\.(get|post|head)\(\s*f?\"([^\"]+)", source)
    forbidden = set()
    for whose, verb, pattern in declared:
        path = re.sub(r"\{[^}]*\}", "x", f"{API if whose == 'router' else ''}{pattern}")
        if not any(re.fullmatch(r.path, path) and r.method == verb.upper() for r in ROUTES):
            forbidden.add((verb, path))
    assert len(forbidden) > 70
    assert ("get", f"{API}/deep_link") in forbidden
    more = [("get", "/docs"), ("get", f"{API}//heartbeat/x"), ("put", "/"), ("options", "/")]
    for verb, path in [*forbidden, *more]:
        answered = alice.http.request(verb, path, params={"session_hash": alice.page})
        assert (verb, path, answered.status_code) == (verb, path, 404)


def test_a_deep_link_shows_nothing_but_the_page(served: Served, alice: Visitor) -> None:
    links = served.files.folder / "deep_links" / ("a" * 64)
    links.mkdir(parents=True)
    (links / "state.json").write_text('[{"id": 1}]')
    for link in (links.name, "x", "../x", alice.home.name):
        assert config(alice.http, f"/?deep_link={link}")["deep_link_state"] == "none"


def test_gradio_itself_could_not_tell_a_passphrase_or_a_message(tmp_path: Path) -> None:
    secret, page = secrets.token_hex(), "page"

    async def tried() -> str:
        with gr.Blocks() as blocks:
            typed, told = gr.Textbox(label="Passphrase"), gr.Textbox(label="Message")
            typed.submit(lambda text: text[::-1], typed, told, queue=False)
        api = fastapi.FastAPI()
        gr.mount_gradio_app(api, blocks, path="/")
        [server] = [
            route.app
            for route in api.routes
            if isinstance(route, Mount) and isinstance(route.app, routes.App)
        ]
        server.uploaded_file_dir = str(tmp_path)
        kept = Kept(blocks, server)
        unread: asyncio.Queue[Any] = asyncio.Queue()
        unread.put_nowait(secret)
        blocks._queue.pending_messages_per_session[page] = unread
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            body = {"data": [secret], "fn_index": 0, "session_hash": page}
            answered = await http.post(f"{API}/run/predict", json=body)
            assert answered.json()["data"] == [secret[::-1]]
            link = await http.get(f"{API}/deep_link", params={"session_hash": page})
        await kept.forget(page)
        assert unread.empty()
        assert page not in server.state_holder
        return str(link.json())

    state = (tmp_path / "deep_links" / run(tried()) / "state.json").read_text()
    assert "Passphrase" in state
    assert secret not in state
    assert secret[::-1] not in state


def test_cookies_are_ours_alone(served: Served) -> None:
    given = httpx.get(served.address).headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    for chosen in ("alice", "x" * 100, "../../etc"):
        answered = httpx.get(served.address, headers={"cookie": f"{COOKIE}={chosen}"})
        assert chosen not in answered.headers["set-cookie"]


def test_requests_that_are_too_long_or_no_json_do_not_pass(alice: Visitor) -> None:
    swelling = b'{"data": [' + b"[]," * (2 * MOST_VALUES) + b"[]]}"
    for body in (b"x" * (LARGEST_REQUEST + 1), b"[1]", b'{"a": ', b"[" * 100_000, swelling):
        assert alice.http.post(f"{API}/queue/join", content=body).status_code == 400


# A second visitor, who knows the address of everything


def test_a_page_is_its_visitors_alone(alice: Visitor, bob: Visitor) -> None:
    assert alice.ask("Detect", [None, None]).is_success
    assert bob.http.get(f"{API}/queue/data", params={"session_hash": alice.page}).status_code == 404
    assert bob.ask("Detect", [None, None], page=alice.page).status_code == 404
    body = {"data": [], "fn_index": function(bob.http, "Add a secret"), "session_hash": alice.page}
    assert bob.http.post(f"{API}/run/predict", json=body).status_code == 404
    assert bob.open(alice.page) == 404
    assert "the picture is missing" in alice.answer()
    alone = httpx.get(f"{alice.served.address}{API}/queue/data?session_hash={alice.page}")
    assert alone.status_code == 404


def test_a_page_named_twice_is_the_one_that_was_checked(alice: Visitor, bob: Visitor) -> None:
    assert alice.ask("Detect", [None, None]).is_success
    number = function(bob.http, "Detect")
    twice = '{"session_hash": "%s", "data": [null, null], "fn_index": %d, "session_hash": "%s"}'
    assert (
        bob.http.post(
            f"{API}/queue/join", content=twice % (bob.page, number, alice.page)
        ).status_code
        == 404
    )
    assert bob.http.post(
        f"{API}/queue/join", content=twice % (alice.page, number, bob.page)
    ).is_success
    told = bob.http.get(f"{API}/queue/data?session_hash={alice.page}&session_hash={bob.page}")
    assert told.text.count("process_completed") == 1
    other = bob.http.get(f"{API}/queue/data?session_hash={bob.page}&session_hash={alice.page}")
    assert other.status_code == 404
    assert "the picture is missing" in alice.answer()


def test_a_page_that_was_closed_tells_nobody_anything(served: Served, bob: Visitor) -> None:
    with served.visitor() as gone:
        assert gone.ask("Detect", [None, None]).is_success
    assert bob.http.get(f"{API}/queue/data", params={"session_hash": gone.page}).status_code == 404
    assert bob.open(gone.page) == 200
    assert bob.ask("Reveal", [None, "", None, ""], page=gone.page).is_success
    told = bob.answer(gone.page)
    assert "the field is missing" in told
    assert "the picture is missing" not in told


def test_a_file_is_its_visitors_alone(served: Served, alice: Visitor, bob: Visitor) -> None:
    photo = alice.photo()
    path = Path(photo["path"])
    assert alice.http.get(f"{API}/file={path}").content == PHOTO
    around = f"{bob.home}/../{path.relative_to(served.files.folder)}"
    for tried in (path, around, "/etc/hostname", bob.home):
        assert bob.http.get(f"{API}/file={tried}").status_code == 404
    assert bob.ask("Detect", [photo, None]).status_code == 400
    assert bob.ask("Detect", [{"deep": [photo]}, None]).status_code == 400
    assert httpx.get(f"{served.address}{API}/file={path}").status_code == 404
    assert alice.http.get(f"{API}/file={path}").headers["cache-control"] == "no-store"


def test_a_run_is_ended_by_its_visitor_alone(tmp_path: Path) -> None:
    visitors = Visitors(tmp_path)
    assert visitors.enter("alice", "a")
    assert visitors.enter("bob", "b")
    asked = visitors.begin("alice", "a")
    visitors.end("bob", "a")
    visitors.end("alice", "b")
    visitors.leave("bob", "b")
    assert not asked.is_set()
    visitors.end("alice", "a")
    assert asked.is_set()
    assert visitors.begin("bob", "b").is_set()  # it has closed


def test_one_visitor_does_not_take_the_whole_queue(served: Served) -> None:
    with served.visitor() as greedy, served.visitor() as other:
        assert greedy.open("another") == 200
        slow = [greedy.photo(), *hiding(30, greedy.photo())]
        pages, number = [greedy.page, "another"], function(greedy.http, "Hide")

        def join(count: int) -> int:
            page = pages[count % 2]
            return int(greedy.ask("Hide", slow, page=page, number=number).status_code)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(join, range(24)))
        assert 1 <= answers.count(200) <= MOST_RUNS
        assert set(answers) == {200, 429}
        assert other.ask("Detect", [None, None]).is_success


def test_one_address_does_not_take_the_whole_queue_with_many_cookies(served: Served) -> None:
    with ExitStack() as all_leave:
        several = [all_leave.enter_context(served.visitor("192.0.2.1")) for _ in range(6)]
        other = all_leave.enter_context(served.visitor("192.0.2.2"))
        number, answers = function(other.http, "Hide"), []
        for one in several:
            slow = [one.photo(), *hiding(30, one.photo())]
            answers += [one.ask("", slow, number=number).status_code for _ in range(MOST_RUNS)]
        assert set(answers) == {200, 429}
        assert answers.count(200) == SHARE * MOST_RUNS
        assert other.ask("Detect", [None, None]).is_success


def test_one_address_does_not_take_all_room_with_many_cookies(tmp_path: Path) -> None:
    desk = Desk(AppConfig(max_stored=10), Visitors(tmp_path))
    for visitor, source in {"a": "192.0.2.1", "b": "192.0.2.1", "c": "192.0.2.2", "d": ""}.items():
        assert desk.visitors.enter(visitor, visitor, source)
    (desk.visitors.home("a") / "file").write_bytes(bytes(3_000_000))
    desk.coming["b"] = 1_000_000
    assert desk.has_room("b", 1_000_000)
    assert not desk.has_room("b", 1_000_001)
    assert desk.has_room("c", 5_000_000)
    assert not desk.has_room("c", 5_000_001)
    assert desk.has_room("d", 6_000_000)
    assert not desk.has_room("d", 6_000_001)


def test_one_visitor_does_not_open_pages_without_end(served: Served) -> None:
    with served.visitor() as greedy:
        statuses = [greedy.open(f"page{number}") for number in range(MOST_PAGES + 2)]
    assert statuses.count(200) == MOST_PAGES - 1


# Files without an owner


def test_who_has_no_page_open_uploads_nothing(served: Served) -> None:
    with httpx.Client(base_url=served.address) as http:
        http.get("/")
        answered = http.post(f"{API}/upload", files={"files": ("a.png", PHOTO)})
    assert answered.status_code == 404
    assert served.kept() == []


def test_no_file_outlives_its_owners_page(served: Served) -> None:
    with served.visitor() as visitor:
        visitor.http.post(f"{API}/upload", files={"elsewhere": ("a.png", PHOTO)})
        visitor.http.post(
            f"{API}/upload",
            content=b"broken",
            headers={"content-type": "multipart/form-data; boundary=x"},
        )
        photo = visitor.photo()
        assert visitor.ask("Detect", [photo, None]).is_success
        assert "process_completed" in visitor.answer()
        assert len(served.kept()) >= 2
        assert all(visitor.home in path.parents for path in served.kept())
        (served.files.folder / "deep_links" / "x").mkdir(parents=True)
        (served.files.folder / "deep_links" / "x" / "state.json").touch()
        (served.files.folder / "stray").touch()
    until(lambda: list(served.files.folder.iterdir()) == [])


def test_a_file_of_somebody_who_is_there_is_not_swept(served: Served, alice: Visitor) -> None:
    path = alice.photo()["path"]
    with served.visitor() as another:
        another.photo()
    assert Path(path).read_bytes() == PHOTO


def test_uploads_of_unknown_length_do_not_pass(served: Served, alice: Visitor) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'

    kind = {"content-type": "multipart/form-data; boundary=x"}
    answered = alice.http.post(f"{API}/upload", content=endless(), headers=kind)
    assert answered.status_code == 411
    assert served.kept() == []


def test_an_upload_that_is_too_large_takes_no_room_from_others(
    served: Served, alice: Visitor, bob: Visitor
) -> None:
    slow = HTTPConnection(served.address.removeprefix("http://"), timeout=30)
    slow.putrequest("POST", f"{API}/upload")
    slow.putheader("Cookie", f"{COOKIE}={alice.http.cookies[COOKIE]}")
    slow.putheader("Content-Type", "multipart/form-data; boundary=x")
    slow.putheader("Content-Length", "3900000")
    slow.endheaders()  # and nothing follows
    assert slow.getresponse().status == 413
    assert bob.upload().is_success
    slow.close()


@pytest.mark.parametrize(
    "name",
    ["../../../x.png", "/etc/passwd", "a\0b.png", "..", "a\r\nX: y.png", "%2e%2e%2fx", "x" * 900],
)
def test_a_name_leads_nowhere(served: Served, alice: Visitor, name: str) -> None:
    answered = alice.upload(b"abc", name)
    for path in answered.json() if answered.is_success else []:
        assert alice.home in Path(path).resolve().parents
    assert all(alice.home in path.resolve().parents for path in served.kept())


# Another site's page in the same browser


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://localhost"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
    ],
)
def test_another_sites_page_asks_in_vain(
    served: Served, alice: Visitor, headers: dict[str, str]
) -> None:
    path = alice.photo()["path"]
    before = served.kept()
    assert alice.upload(b"planted", "planted.png", headers).status_code == 403
    for asked in (f"{API}/file={path}", f"{API}/heartbeat/x", "/theme.css"):
        assert alice.http.get(asked, headers=headers).status_code == 403
    assert served.kept() == before


def test_another_sites_page_may_link_here_but_not_frame_it(served: Served) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    linked = httpx.get(served.address, headers=link | {"sec-fetch-dest": "document"})
    assert linked.status_code == 200
    assert "frame-ancestors 'none'" in linked.headers["content-security-policy"]
    framed = httpx.get(served.address, headers=link | {"sec-fetch-dest": "iframe"})
    assert framed.status_code == 403


def test_the_page_itself_passes_behind_a_proxy_that_changes_the_host(alice: Visitor) -> None:
    proxied = {"origin": "https://stegfield.example", "sec-fetch-site": "same-origin"}
    assert alice.upload(headers=proxied).is_success
    own = {"origin": alice.served.address}
    assert alice.upload(headers=own).is_success


ATTACK = """<script>
const at = "ADDRESS", form = new FormData();
form.append("files", new Blob(["planted"]), "planted.png");
const post = {method: "POST", body: form, credentials: "include"};
const tries = [
  fetch(at + "/gradio_api/upload", {...post, mode: "no-cors"}),
  fetch(at + "/gradio_api/upload", post),
  fetch(at + "FILE", {credentials: "include"}).then(r => r.text()).then(t => { window.read = t }),
  new Promise(done => { const i = new Image(); i.onload = () => { window.read = "image"; done() };
    i.onerror = done; i.src = at + "FILE" }),
  new Promise(done => { const s = new EventSource(at + "/gradio_api/queue/data?session_hash=PAGE",
    {withCredentials: true}); s.onmessage = e => { window.read = e.data; done() };
    s.onerror = done }),
];
Promise.allSettled(tries).then(() => { document.title = "over" });
</script>"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_page_in_a_real_browser_reads_and_plants_nothing(
    served: Served, browser: Any, host: str
) -> None:
    context = browser.new_context()
    victim = context.new_page()
    with victim.expect_request("**/heartbeat/*") as beats:
        victim.goto(served.address)
        victim.get_by_role("tab", name="Embed").click()
    block = victim.locator(".block", has=victim.get_by_text("Cover", exact=True)).first
    block.locator("input[type=file]").set_input_files(
        {"name": "holiday.png", "mimeType": "image/png", "buffer": PHOTO}
    )
    until(lambda: any(served.files.folder.rglob("holiday.png")))
    [photo] = served.files.folder.rglob("holiday.png")
    page = beats.value.url.rpartition("/")[2]
    text = (
        ATTACK.replace("ADDRESS", served.address)
        .replace("FILE", f"{API}/file={photo}")
        .replace("PAGE", page)
    )

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        foreign = context.new_page()
        foreign.goto(f"http://{host}:{site.server_address[1]}/")
        foreign.wait_for_function("document.title === 'over'")
        assert foreign.evaluate("window.read") is None
        # a link from there leaves the visitor who they are
        cookies = context.cookies(served.address)
        foreign.evaluate(f"location.href = '{served.address}/'")
        foreign.get_by_role("tab", name="Embed").wait_for()
        assert context.cookies(served.address) == cookies
        site.shutdown()
        thread.join()
    assert list(served.files.folder.rglob("planted*")) == []
    assert victim.request.get(f"{served.address}{API}/file={photo}").ok
    context.close()
    until(lambda: list(served.files.folder.iterdir()) == [])


# What is passed on, whatever Gradio makes of it


async def _passed(gate: Gate, method: str, path: str, query: str, cookie: str) -> Any:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"cookie", b"a=b"), (b"cookie", f"{COOKIE}={cookie}; c=d".encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        pass

    await gate(scope, receive, send)


async def _kept() -> Kept:
    return Kept(gr.Blocks(), routes.App())


def test_only_what_was_checked_is_passed_on(tmp_path: Path) -> None:
    scopes = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    visitors, cookies = Visitors(tmp_path), ["a" * 43, "b" * 43]
    gate = Gate(app, visitors, run(_kept()))
    for cookie in cookies:
        assert visitors.enter(cookie, cookie[:1])
        asked = _passed(gate, "GET", f"{API}/upload_progress", "upload_id=1&more=2", cookie)
        run(asked)
    run(_passed(gate, "GET", "/", "deep_link=x", cookies[0]))
    run(_passed(gate, "GET", f"{API}/queue/data", "session_hash=b", cookies[0]))
    queries = [scope["query_string"].decode() for scope in scopes]
    homes = [visitors.home(cookie).name for cookie in cookies]
    assert queries == [*(f"upload_id={home}-1" for home in homes), ""]
    assert scopes[0]["headers"] == [(b"cookie", f"{COOKIE}={cookies[0]}".encode())]


def test_there_are_no_websockets(tmp_path: Path) -> None:
    sent = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def nothing(*_: object) -> Any:
        raise AssertionError

    gate = Gate(nothing, Visitors(tmp_path), run(_kept()))
    run(gate({"type": "websocket", "path": f"{API}/queue/join"}, nothing, send))
    assert sent == ["websocket.close"]


# Runs without end


def test_all_that_reads_a_visitors_files_ends_in_time(tmp_path: Path, serving: Any) -> None:
    with serving(tmp_path, "--max-seconds", "0.001") as address:
        [files] = tmp_path.glob("stegfield-app-*")
        with Served(address.rstrip("/"), Visitors(files)).visitor() as visitor:
            photo = visitor.photo()
            exact = "Exact: for files that are sent as they are"
            words = "six words are not so few"
            inputs: dict[str, list[Any]] = {
                "Extract": [words, None],
                "Detect": [None],
                "Embed": ["noon", None, words, None, exact],
                "Hide": hiding(0.001, photo),
                "Reveal": [words, None, ""],
                "Render": [64],
            }
            for button, more in inputs.items():
                assert visitor.ask(button, [photo, *more]).is_success
                assert "took longer than the 0.001 seconds" in visitor.answer(), button
            assert visitor.ask("Detect", [None, None]).is_success  # it serves on
            assert "the picture is missing" in visitor.answer()
