"""Pages of the site that are made from other files, and links on pictures: a hook of mkdocs."""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import posixpath
import re
from itertools import groupby
from pathlib import Path

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from stegfield.cli import app

HOME = Path(__file__).parent.parent
COPIED = {
    "models.md": "src/stegfield/generative/models/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
"""Pages, and the documents of the repository that they are."""
EXPERIMENTS = HOME / "results" / "experiments"
RECEIVER = HOME / "src" / "stegfield" / "receiver" / "page.html"
FRONT = {"index.md", "report.md"}
"""What the page is called that comes first of those in the folder of experiments."""
FAMILIES = {
    "detecting": "Detection",
    "ginr": "GINR-Stega",
    "jpeg": "JPEG files",
    "media": "Other media",
    "mih": "StegaINR4MIH",
    "robust": "Robust fields",
    "speed": "Speed and quality",
}
"""What suites whose names begin alike are called together."""
PACKAGES = {
    "stegfield.signals": "Read, write, sample and compare signals",
    "stegfield.carriers": "List the integers of a file that may carry bits, and what changes cost",
    "stegfield.jpeg": "Read and write JPEG files as quantised coefficients",
    "stegfield.payload": "Turn messages into bits and back",
    "stegfield.keys": "Make keys and passphrases, and what they decide",
    "stegfield.fixednet": "Embed messages and extract them",
    "stegfield.fields": "Fit, render, save and load fields",
    "stegfield.hiding": "Hide secrets in a field and reveal them",
    "stegfield.generative": "Train generators and generate covers",
    "stegfield.steganalysis": "Detect messages and secrets",
    "stegfield.attacks": "Damage fields and images, and guess keys",
    "stegfield.metrics": "Compare signals by PSNR, SSIM and others",
    "stegfield.channel": "Send an image through JPEG, WebP, noise and scaling",
    "stegfield.watching": "Show the progress of long runs, in terminals and notebooks",
    "stegfield.jobs": "Run many jobs at once, on this machine or a Ray cluster",
    "stegfield.bench": "Run suites of experiments and report them",
    "stegfield.config": "Settings of long jobs",
    "stegfield.publishing": "Export fields to model hubs and ONNX",
    "stegfield.errors": "Errors that a user can meet",
}
"""Packages with a page of their own, and what each is for: a line each."""
INTRODUCTION = """# Python

Every command is a thin file over the same calls in Python. `import stegfield` offers the main ones:
`read`, `embed`, `extract`, `capacity`, `fit`, `hide` and `reveal`. The [tutorial](../tutorial.md)
uses them in a notebook. Short programs stand on the pages of
[messages](../embedding.md#in-python), [hidden images](../hiding.md#in-python) and [generated
covers](../generating.md#in-python). A `Signal` is an image, a sound or another medium. A `Field`
is a signal as a function. A `Key` comes from a key file or a `Passphrase`.
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of experiments and packages where the navigation has room for them."""
    for section in config.nav or []:
        if "Experiments" in section:
            section["Experiments"] = families()
        if "Python" in section:
            section["Python"] += [{name: f"api/{name}.md"} for name in PACKAGES]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated."""
    made = {name: linked((HOME / source).read_text()) for name, source in COPIED.items()}
    made |= {name: page.read_text() for name, page in experiments().items()}
    made |= {f"api/{name}.md": package(name) for name in PACKAGES}
    made["api/index.md"] = packages()
    made["commands.md"] = commands()
    made["tutorial.md"], shown = tutorial()
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for name, data in shown.items():
        files.append(File.generated(config, name, content=data))
    for name, picture in pictures().items():
        files.append(File.generated(config, name, abs_src_path=str(picture)))
    files.append(File.generated(config, "receiver-page.html", abs_src_path=str(RECEIVER)))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Link each picture to itself, to be enlarged; italics below one become its caption."""
    html = re.sub(
        r'(?<!>)<p><img ([^>]*?)src="([^"]*)"([^>]*)></p>',
        r'<p><a class="picture" href="\2"><img \1src="\2"\3></a></p>',
        html,
    )
    return re.sub(
        r'<p>(<a class="picture".*?</a>)</p>\s*<p><em>(.*?)</em></p>',
        r"<figure>\1<figcaption>\2</figcaption></figure>",
        html,
        flags=re.DOTALL,
    )


def experiments() -> dict[str, Path]:
    """Return the pages that `stegfield report` wrote, the front page first, then by number."""

    def place(page: Path) -> tuple[object, ...]:
        digits = re.findall(r"\d+", page.name)
        return page.name not in FRONT, page.name.partition("-")[0], *map(int, digits)

    found = sorted(EXPERIMENTS.rglob("*.md"), key=place)
    return {f"experiments/{page.name}": page for page in found}


def families() -> list[str | dict[str, list[str]]]:
    """Return the navigation of the experiments: the front page, then suites by family."""
    entries: list[str | dict[str, list[str]]] = []
    for family, names in groupby(experiments(), lambda name: Path(name).stem.partition("-")[0]):
        pages = list(names)
        front = Path(pages[0]).name in FRONT
        entries += pages if front else [{FAMILIES.get(family, family.capitalize()): pages}]
    return entries


def pictures() -> dict[str, Path]:
    """Return the pictures that these pages show, by the names that the site has for them."""
    return {
        posixpath.normpath(f"experiments/{target}"): (page.parent / target).resolve()
        for page in experiments().values()
        for target in re.findall(r"!\[[^\]]*\]\(([^)]*)\)", page.read_text())
    }


def tutorial() -> tuple[str, dict[str, bytes]]:
    """Return the tutorial's notebook as a page, and the pictures that its cells show, by name."""
    parts: list[str] = []
    shown: dict[str, bytes] = {}
    for cell in json.loads((HOME / "docs" / "tutorial.ipynb").read_text())["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = "".join(output.get("text", data.get("text/plain", "")))
            if "image/png" in data:
                name = f"tutorial-{len(shown) + 1}.png"
                shown[name] = base64.b64decode(data["image/png"])
                parts.append(f"![{text}]({name})")
            else:
                parts.append(f"```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts), shown


def package(name: str) -> str:
    """Return the reference of a package: what it exports, or else its modules one by one."""
    title = f"# {name}\n\n{PACKAGES[name]}.\n"
    module = importlib.import_module(name)
    if hasattr(module, "__all__") or not hasattr(module, "__path__"):
        return f"{title}\n::: {name}\n"
    parts = [part.name for part in pkgutil.iter_modules(module.__path__)]
    return title + "".join(
        f"\n## {part}\n\n::: {name}.{part}\n    options: {{heading_level: 3}}\n" for part in parts
    )


def packages() -> str:
    """Return the page that lists all packages."""
    rows = "".join(f"| [`{name}`]({name}.md) | {what} |\n" for name, what in PACKAGES.items())
    return f"{INTRODUCTION}\n| package | use it to |\n|---|---|\n{rows}"


def linked(text: str) -> str:
    """Lead the links of the repository's documents to pages; those to other files go."""
    pages = {source: page for page, source in COPIED.items()} | {
        "README.md": "index.md",
        "tutorial.ipynb": "tutorial.md",
    }

    def one(match: re.Match[str]) -> str:
        label, target = match[1], match[2].removeprefix("docs/")
        if target in pages:
            return f"[{label}]({pages[target]})"
        known = "://" in target or (HOME / "docs" / target.partition("#")[0]).is_file()
        return f"[{label}]({target})" if known else label

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)]*)\)", one, text).replace("](docs/", "](")


def commands() -> str:
    """Return the reference of all commands, from the program itself."""
    text: str = app.generate_docs(output_format="markdown", recursive=True, max_heading_level=3)
    text = re.sub(r"\A# .*\n", "# Commands\n", text)
    return re.sub(r"## Table of Contents\n.*?(?=\n\*\*Commands)", "", text, flags=re.DOTALL)


class Examples(griffe.Extension):
    """Show the section ``Example`` of a docstring as a program, not as quotations."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Rename the section to what griffe knows."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
