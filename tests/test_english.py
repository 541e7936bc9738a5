"""Documents and messages are plain English: phrases that were banned stay away.

The test reads the documents, and every string of the sources: docstrings, from which `--help` is
made, errors, hints, and what is printed.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HOME = Path(__file__).parent.parent
SOURCES = HOME / "src" / "stegfield"
CHANGES = HOME / "CHANGELOG.md"
DOCUMENTS = [
    HOME / "README.md",
    HOME / "CONTRIBUTING.md",
    CHANGES,
    HOME / "NOTICE",
    SOURCES / "generative" / "models" / "README.md",
    *sorted((HOME / "docs").glob("*.md")),
    *sorted((SOURCES / "bench" / "suites").glob("*.toml")),
]


class Ban(NamedTuple):
    """A pattern, why it is banned or what to write instead, and a phrase that it finds."""

    pattern: str
    reason: str
    example: str


BANNED = (
    Ban(r"\bwhoever\b", "name the actor: the sender, an adversary, everyone", "Whoever has it"),
    Ban(
        r"(?:^|[.!;:] |\b(?:and|or|but|by|from|for|to|as|than|what|which|since|as if) )who "
        r"(?!(?:is|are) (?:it|this|you)\b)[a-z]",
        "name the actor: an adversary who, a receiver who",
        "Who damages a stego image makes the receiver correct for minutes",
    ),
    Ban(r"\bwhat one (?:can|has|then|sees)\b", "name what it is: AUC, P_E", "What one then sees"),
    Ban(r"\bif one insists\b", "name the option", "what a wrong key shows if one insists"),
    Ban(r"\|\s*(?:wanted|came to)\s*\|", "benchmark, target, result", "| wanted | came to |"),
    Ban(r"\b(?:if|as|than|where|is|are) wanted\b", "say by whom, or leave it out", "if wanted"),
    Ban(r"\b(?:came|comes?) to (?:SNR |PSNR )?\d", "reaches, is", "it came to 42 dB"),
    Ban(
        r"\bcall(?:s|ed)? (?:[\w%]+ ){0,8}(?:rightly|right)\b|\brightly\b",
        "classified correctly",
        "called 99 to 100 % rightly",
    ),
    Ban(r"\b(?:right|wrong) calls?\b", "a correct decision, an error", "share of wrong calls"),
    Ban(r"\bnothing would be left of\b", "would not survive", "what nothing would be left of"),
    Ban(r"\bgone on with\b", "resumed", "decoys cannot be gone on with"),
    Ban(r"\bthere is one key\b", "say which options conflict", "there is one key"),
    Ban(
        r"(?:Error|Unreadable): (?:It|They|Their|These|There (?:is|are) [\w, ]{3,20}\.)(?= |$|\.)",
        "repeat the condition: the covers differ in size",
        "ConfigError: It does.",
    ),
    Ban(r"(?-i:\bdear(?:er|est)?\b)", "it costs more, it is expensive", "silence is the dearest"),
    Ban(r"\b(?:his|hers?|himself)\b(?! or)", "they, their", "the area under his ROC"),
)
"""Not to be found in documents and sources."""
OLD_NAMES = (
    Ban(r"--profile jpeg|`jpeg` profile|\bjpeg profile\b", "robust", "the jpeg profile"),
    Ban(r"--span\b|\bspan \d", "constraint height", "--span 12"),
    Ban(r"\bprice[sd]?\b", "cost", "each sample has its price"),
    Ban(r"\bstrictness\b", "lambda", "a strictness of 2"),
    Ban(r"\bdrawn (?:cover|face|image|picture)s?\b", "generated", "drawn covers"),
    Ban(r"\b(?:key|slot)'s noise\b|\bnoise of SHA", "key stream", "the noise of SHA-256"),
)
"""Not to be found in documents; the list of changes names what was renamed."""
RULES = (*BANNED, *OLD_NAMES)


def found(text: str, bans: tuple[Ban, ...]) -> list[str]:
    """Return the banned phrases in a text, each with what to write instead."""
    flat = re.sub(r"\s+", " ", text)
    return [
        f"{match[0].strip()!r}: {ban.reason}"
        for ban in bans
        for match in re.finditer(ban.pattern, flat, re.IGNORECASE)
    ]


def strings(source: str) -> list[str]:
    """Return every string of a program, f-strings with a gap where values go."""
    nodes = list(ast.walk(ast.parse(source)))
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    joined = [
        "".join(str(part.value) if isinstance(part, ast.Constant) else "_" for part in node.values)
        for node in nodes
        if isinstance(node, ast.JoinedStr)
    ]
    plain = [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
    ]
    return joined + plain


@pytest.mark.parametrize("ban", RULES, ids=lambda ban: ban.example)
def test_each_ban_finds_its_example(ban: Ban) -> None:
    assert found(ban.example, (ban,))


def test_good_sentences_pass() -> None:
    text = "An adversary who has the cover can tell. ConfigError: the covers differ in size."
    assert found(text, RULES) == []


def test_strings_of_programs_are_found_in_one_piece() -> None:
    source = 'def f():\n    """Doc."""\n    raise ValueError(f"Who{1}ever" "Whoever")\n'
    assert set(strings(source)) == {"Doc.", "Who_everWhoever"}


@cache
def offences() -> dict[str, list[str]]:
    """Return the banned phrases of each file that has some."""
    texts = {
        path: found(path.read_text(), BANNED if path == CHANGES else RULES) for path in DOCUMENTS
    }
    for path in SOURCES.rglob("*.py"):
        texts[path] = [
            phrase for text in strings(path.read_text()) for phrase in found(text, BANNED)
        ]
    return {str(path.relative_to(HOME)): each for path, each in sorted(texts.items()) if each}


def test_documents_and_messages_have_no_banned_phrase() -> None:
    assert offences() == {}
