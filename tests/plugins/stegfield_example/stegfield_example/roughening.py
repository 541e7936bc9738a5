"""An experiment: how much rougher a way to embed makes images."""

from stegfield import signals
from stegfield.bench import EMBEDDERS, Datasets
from stegfield.bench.experiments import Found
from stegfield.bench.experiments.settings import EmbeddingSettings
from stegfield_example.roughness import roughness


def roughening(data: Datasets, settings: EmbeddingSettings) -> Found:
    """Embed, and compare the roughness of cover and stego."""
    cover = settings.cover(data, settings.image)
    done = EMBEDDERS.find(settings.method)(data, cover, settings, settings.image)
    before, after = roughness(cover), roughness(signals.from_samples(done.stego))
    return Found({"rougher_percent": 100 * (after / before - 1), **done.figures})
