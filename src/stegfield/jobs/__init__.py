"""Jobs: many pieces of work, run at once, recorded as they end, and resumed after a crash.

    jobs ─► run ─► engine ─► perform(job), in a worker
              └──► ledger: "begun", then the outcome

Batches, suites and pools of fields run through here. Nothing here imports torch.
"""

from stegfield.jobs.engines import ENGINES, Engine, apart, local, on_ray
from stegfield.jobs.ledger import Entry, Job, Ledger, LedgerKind
from stegfield.jobs.running import JobProgress, run

__all__ = [
    "ENGINES",
    "Engine",
    "Entry",
    "Job",
    "JobProgress",
    "Ledger",
    "LedgerKind",
    "apart",
    "local",
    "on_ray",
    "run",
]
