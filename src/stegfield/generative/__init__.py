"""Generative: fields that a GAN over functions generates, and covers for messages made of them.

    seed ─► latent ─► generator ─► field ─► values at any size ─► grain ─► cover

What stands here is imported when it is asked for.
"""

from typing import TYPE_CHECKING

from stegfield.lazy import resolver

if TYPE_CHECKING:
    from stegfield.config import GanConfig
    from stegfield.generative.covers import (
        function_shown,
        generate,
        generate_stego,
        known_cover,
        size_at,
    )
    from stegfield.generative.examples import Arrays, Examples
    from stegfield.generative.image_files import Images
    from stegfield.generative.keyed import cover_of, generate_keyed
    from stegfield.generative.logbook import TrainProgress, TrainWatch
    from stegfield.generative.model import Model
    from stegfield.generative.processes import Processes, joined
    from stegfield.generative.reading import digits, medium_to_learn, read_examples
    from stegfield.generative.seeds import new_seed, public_seed_caution
    from stegfield.generative.store import (
        SHIPPED,
        ModelFileError,
        from_bytes,
        load,
        save,
        to_bytes,
    )
    from stegfield.generative.temperatures import Globes, globes
    from stegfield.generative.training import train
else:
    __getattr__ = resolver(
        __name__,
        {
            "stegfield.config": ["GanConfig"],
            "stegfield.generative.covers": [
                "function_shown",
                "generate",
                "generate_stego",
                "known_cover",
                "size_at",
            ],
            "stegfield.generative.examples": ["Arrays", "Examples"],
            "stegfield.generative.image_files": ["Images"],
            "stegfield.generative.keyed": ["cover_of", "generate_keyed"],
            "stegfield.generative.logbook": ["TrainProgress", "TrainWatch"],
            "stegfield.generative.model": ["Model"],
            "stegfield.generative.processes": ["Processes", "joined"],
            "stegfield.generative.reading": ["digits", "medium_to_learn", "read_examples"],
            "stegfield.generative.seeds": ["new_seed", "public_seed_caution"],
            "stegfield.generative.store": [
                "SHIPPED",
                "ModelFileError",
                "from_bytes",
                "load",
                "save",
                "to_bytes",
            ],
            "stegfield.generative.temperatures": ["Globes", "globes"],
            "stegfield.generative.training": ["train"],
        },
    )

__all__ = [
    "SHIPPED",
    "Arrays",
    "Examples",
    "GanConfig",
    "Globes",
    "Images",
    "Model",
    "ModelFileError",
    "Processes",
    "TrainProgress",
    "TrainWatch",
    "cover_of",
    "digits",
    "from_bytes",
    "function_shown",
    "generate",
    "generate_keyed",
    "generate_stego",
    "globes",
    "joined",
    "known_cover",
    "load",
    "medium_to_learn",
    "new_seed",
    "public_seed_caution",
    "read_examples",
    "save",
    "size_at",
    "to_bytes",
    "train",
]
