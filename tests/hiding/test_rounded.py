"""A field whose weights were rounded to 16 bits: the reason is told, and nothing else."""

from __future__ import annotations

import copy

import pytest
import torch

from stegfield import fields, hiding
from stegfield.config import FitConfig
from stegfield.errors import UnreadableError
from stegfield.hiding.revealing import is_rounded
from stegfield.keys import Key
from stegfield.signals import waves

COVER, KEY, OTHER = waves(16, 24), Key(b"a" * 32), Key(b"b" * 32)
SIZES = {"width": 48, "depth": 2}
QUICK = FitConfig(steps=5, batch=64, seed=4)


def rounded(field: fields.Field, kind: torch.dtype) -> fields.Field:
    field = copy.deepcopy(field)
    with torch.no_grad():
        for weight in field.parameters():
            weight.copy_(weight.to(kind).float())
    return fields.from_bytes(fields.to_bytes(field))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_every_key_and_every_rounded_field_get_the_same_words(kind: torch.dtype) -> None:
    clean = fields.fit(COVER, sizes=SIZES, training=QUICK).field
    carrier = hiding.hide(COVER, [(b"meet me at noon", KEY)], sizes=SIZES, training=QUICK).field
    told = set()
    for field in (clean, carrier):
        assert not is_rounded(field)
        for key in (KEY, OTHER):
            with pytest.raises(UnreadableError) as caught:
                hiding.reveal(rounded(field, kind), key)
            told.add((str(caught.value), str(caught.value.hint)))
    [(error, hint)] = told
    assert error == "nothing can be read with this key"
    assert hint.startswith("the weights were rounded to 16 bits")
    with pytest.raises(UnreadableError) as caught:
        hiding.reveal(clean, KEY)
    assert "rounded" not in str(caught.value.hint)
