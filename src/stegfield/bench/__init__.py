"""Bench: experiments and benchmarks as suites of jobs, their results, and one readable report.

    suite (TOML) ─► jobs ─► engine ─► results.jsonl, pictures ─► report.html, report/

A suite names an experiment (a function of `experiments`) and the settings to vary; every
combination is a job. A finished job is never run again, so a run that was stopped can be resumed.
"""

from stegfield.bench.datasets import Datasets
from stegfield.bench.documents import filled
from stegfield.bench.experiments import EMBEDDERS, EXPERIMENTS, HIDERS
from stegfield.bench.report import sections, write_report
from stegfield.bench.results import Findings, Results
from stegfield.bench.running import run
from stegfield.bench.suites import Suite, load, shipped

__all__ = [
    "EMBEDDERS",
    "EXPERIMENTS",
    "HIDERS",
    "Datasets",
    "Findings",
    "Results",
    "Suite",
    "filled",
    "load",
    "run",
    "sections",
    "shipped",
    "write_report",
]
