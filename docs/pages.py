"""Pages of the site that are made from other files: a hook of mkdocs."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from stegfield.cli import app

HOME = Path(__file__).parent.parent
MODELS = "src/stegfield/generative/models/README.md"
COPIED = {
    "index.md": "README.md",
    "models.md": MODELS,
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "experiments.md": "results/experiments/report.md",
}
"""Pages, and the documents of the repository that they are."""
PICTURES = "results/experiments/pictures"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated."""
    for name, source in COPIED.items():
        text = linked((HOME / source).read_text())
        files.append(File.generated(config, name, content=text))
    report = (HOME / COPIED["experiments.md"]).read_text()
    for picture in sorted((HOME / PICTURES).iterdir()):
        if f"(pictures/{picture.name})" in report:
            name = f"pictures/{picture.name}"
            files.append(File.generated(config, name, abs_src_path=str(picture)))
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
