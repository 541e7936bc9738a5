"""Pages of the site that are made from other files: a hook of mkdocs."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from stegfield.bench.suites import shipped
from stegfield.cli import app

HOME = Path(__file__).parent.parent
MODELS = "src/stegfield/generative/models/README.md"
COPIED = {
    "index.md": "README.md",
    "models.md": MODELS,
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
"""Pages, and the documents of the repository that they are."""
REPORT = HOME / "results" / "experiments" / "report"
OVERVIEW = "experiments/index.md"
"""The page of the site whose place in the navigation all pages of the report take."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each suite into the navigation, where the overview stands."""
    pages = [OVERVIEW, *({_title(path): f"experiments/{path.name}"} for path in suites())]
    for section in config.nav or []:
        for entries in section.values() if isinstance(section, dict) else ():
            for entry in entries if isinstance(entries, list) else ():
                entry.update({title: pages for title, page in entry.items() if page == OVERVIEW})
    return config


def suites() -> list[Path]:
    """List the pages of suites, in the order of the report."""
    paths = (REPORT / f"{name}.md" for name in shipped())
    return [path for path in paths if path.exists()]


def _title(path: Path) -> str:
    return path.read_text().partition("\n")[0].removeprefix("# ")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated."""
    for name, source in COPIED.items():
        text = linked((HOME / source).read_text())
        files.append(File.generated(config, name, content=text))
    shown: set[str] = set()
    for path in (REPORT / "index.md", *suites()):
        text = path.read_text()
        files.append(File.generated(config, f"experiments/{path.name}", content=text))
        shown.update(re.findall(r"\(\.\./pictures/([^)]+)\)", text))
    for name in sorted(shown):
        picture = str(REPORT.parent / "pictures" / name)
        files.append(File.generated(config, f"pictures/{name}", abs_src_path=picture))
    files.append(File.generated(config, "commands.md", content=commands()))
    return files


def linked(text: str) -> str:
    """Lead the links of the repository's documents to pages; those to other files go."""
    pages = {source: page for page, source in COPIED.items()}

    def one(match: re.Match[str]) -> str:
        label, target = match[1], match[2].removeprefix("docs/")
        if target in pages:
            return f"[{label}]({pages[target]})"
        known = "://" in target or (HOME / "docs" / target.partition("#")[0]).is_file()
        return f"[{label}]({target})" if known else label

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)]*)\)", one, text).replace("](docs/", "](")


def commands() -> str:
    """Give the reference of all commands, from the program itself."""
    text: str = app.generate_docs(output_format="markdown", recursive=True, max_heading_level=3)
    text = re.sub(r"\A# .*\n", "# Commands\n", text)
    return re.sub(r"## Table of Contents\n.*?(?=\n\*\*Commands)", "", text, flags=re.DOTALL)
