"""Hiding: many secrets in one field's weights, each revealed by its own key (StegaINR4MIH)."""

from stegfield.config import HideConfig, SlotRule, ValueRule
from stegfield.hiding.hide import (
    HiddenSecret,
    HideResult,
    Secret,
    expected_psnr_db,
    hide,
)
from stegfield.hiding.record import Record, read_record, write_records
from stegfield.hiding.reveal import Revealed, reveal
from stegfield.hiding.slots import SlotScheme, key_slots

__all__ = [
    "HiddenSecret",
    "HideConfig",
    "HideResult",
    "Record",
    "Revealed",
    "Secret",
    "SlotRule",
    "SlotScheme",
    "ValueRule",
    "expected_psnr_db",
    "hide",
    "key_slots",
    "read_record",
    "reveal",
    "write_records",
]
