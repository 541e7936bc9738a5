"""Steganalysis: what an adversary without the key can tell; a detector's score is high for stegos.

    covers, stegos ─detector─► scores ─curves─► AUC, P_E, detection rates

What stands here is imported when it is asked for: only networks and what renders fields need torch.
"""

from typing import TYPE_CHECKING

from stegfield.lazy import resolver

if TYPE_CHECKING:
    from stegfield.steganalysis.compare import compare_detectors
    from stegfield.steganalysis.curves import Detection, Roc, detection, roc
    from stegfield.steganalysis.detectors import DETECTORS, Detector
    from stegfield.steganalysis.outliers import CleanFields, FieldVerdict, judge_field
    from stegfield.steganalysis.verdict import Verdict, judge
else:
    __getattr__ = resolver(
        __name__,
        {
            "stegfield.steganalysis.compare": ["compare_detectors"],
            "stegfield.steganalysis.curves": ["Detection", "Roc", "detection", "roc"],
            "stegfield.steganalysis.detectors": ["DETECTORS", "Detector"],
            "stegfield.steganalysis.outliers": ["CleanFields", "FieldVerdict", "judge_field"],
            "stegfield.steganalysis.verdict": ["Verdict", "judge"],
        },
    )

__all__ = [
    "DETECTORS",
    "CleanFields",
    "Detection",
    "Detector",
    "FieldVerdict",
    "Roc",
    "Verdict",
    "compare_detectors",
    "detection",
    "judge",
    "judge_field",
    "roc",
]
