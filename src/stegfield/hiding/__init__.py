"""Hiding: many secrets in one field's weights, each revealed by its own key (StegaINR4MIH)."""

from typing import TYPE_CHECKING

from stegfield.lazy import resolver

if TYPE_CHECKING:
    from stegfield.config import HideConfig, SlotRule, ValueRule
    from stegfield.errors import Caution
    from stegfield.hiding.caution import cautions, expected_psnr_db
    from stegfield.hiding.joint import hide
    from stegfield.hiding.record import SecretRecord, read_record, write_records
    from stegfield.hiding.revealing import Revealed, reveal
    from stegfield.hiding.secrets import HiddenSecret, HideResult, Secret
    from stegfield.hiding.slot_rules import POSITION_RULES
    from stegfield.hiding.slots import SlotScheme, key_slots
else:
    __getattr__ = resolver(
        __name__,
        {
            "stegfield.config": ["HideConfig", "SlotRule", "ValueRule"],
            "stegfield.errors": ["Caution"],
            "stegfield.hiding.caution": ["cautions", "expected_psnr_db"],
            "stegfield.hiding.joint": ["hide"],
            "stegfield.hiding.record": ["SecretRecord", "read_record", "write_records"],
            "stegfield.hiding.revealing": ["Revealed", "reveal"],
            "stegfield.hiding.secrets": ["HiddenSecret", "HideResult", "Secret"],
            "stegfield.hiding.slot_rules": ["POSITION_RULES"],
            "stegfield.hiding.slots": ["SlotScheme", "key_slots"],
        },
    )

__all__ = [
    "POSITION_RULES",
    "Caution",
    "HiddenSecret",
    "HideConfig",
    "HideResult",
    "Revealed",
    "Secret",
    "SecretRecord",
    "SlotRule",
    "SlotScheme",
    "ValueRule",
    "cautions",
    "expected_psnr_db",
    "hide",
    "key_slots",
    "read_record",
    "reveal",
    "write_records",
]
