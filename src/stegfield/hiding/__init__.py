"""Hiding: many secrets in one field, each for its own key.

As files, bit for bit: `hide`. As functions that the field shows, StegaINR4MIH: `hide_functions`.
"""

from typing import TYPE_CHECKING

from stegfield.lazy import resolver

if TYPE_CHECKING:
    from stegfield.config import HideConfig, SlotRule, ValueRule
    from stegfield.errors import Caution
    from stegfield.hiding.caution import DETECTED, cautions, expected_psnr_db
    from stegfield.hiding.deciding import Kind, kind_of
    from stegfield.hiding.files import FilesResult, embed, hide, messages_of, room
    from stegfield.hiding.joint import hide_functions
    from stegfield.hiding.opening import RevealedFile, reveal
    from stegfield.hiding.record import SecretRecord, read_record, write_records
    from stegfield.hiding.revealing import Revealed, reveal_function
    from stegfield.hiding.secrets import HiddenSecret, HideResult, Secret
    from stegfield.hiding.slot_rules import POSITION_RULES
    from stegfield.hiding.slots import SlotScheme, key_slots
else:
    __getattr__ = resolver(
        __name__,
        {
            "stegfield.config": ["HideConfig", "SlotRule", "ValueRule"],
            "stegfield.errors": ["Caution"],
            "stegfield.hiding.caution": ["DETECTED", "cautions", "expected_psnr_db"],
            "stegfield.hiding.deciding": ["Kind", "kind_of"],
            "stegfield.hiding.files": [
                "FilesResult",
                "embed",
                "hide",
                "messages_of",
                "room",
            ],
            "stegfield.hiding.joint": ["hide_functions"],
            "stegfield.hiding.opening": ["RevealedFile", "reveal"],
            "stegfield.hiding.record": ["SecretRecord", "read_record", "write_records"],
            "stegfield.hiding.revealing": ["Revealed", "reveal_function"],
            "stegfield.hiding.secrets": ["HiddenSecret", "HideResult", "Secret"],
            "stegfield.hiding.slot_rules": ["POSITION_RULES"],
            "stegfield.hiding.slots": ["SlotScheme", "key_slots"],
        },
    )

__all__ = [
    "DETECTED",
    "POSITION_RULES",
    "Caution",
    "FilesResult",
    "HiddenSecret",
    "HideConfig",
    "HideResult",
    "Kind",
    "Revealed",
    "RevealedFile",
    "Secret",
    "SecretRecord",
    "SlotRule",
    "SlotScheme",
    "ValueRule",
    "cautions",
    "embed",
    "expected_psnr_db",
    "hide",
    "hide_functions",
    "key_slots",
    "kind_of",
    "messages_of",
    "read_record",
    "reveal",
    "reveal_function",
    "room",
    "write_records",
]
