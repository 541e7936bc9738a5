"""Settings that are known to train well, by what is learned."""

from stegfield.config.gan import GanConfig

PRESETS = {
    "faces": GanConfig(grow="32:8500", steps=200_000, rank=8),
    "climate": GanConfig(
        size=64,
        grow="32:6000",
        steps=15_000,
        batch=16,
        latent=32,
        hidden="128,256",
        std=0.7,
        channels=24,
        mirror=False,
    ),
    "digits": GanConfig(
        size=8,
        steps=2500,
        warm_up=300,
        latent=32,
        hidden="64,64",
        width=64,
        depth=2,
        frequencies=32,
        std=1.0,
        generator_rate=2e-4,
        critic_rate=1e-3,
        r1=0.02,
        mirror=False,
    ),
}
"""What `train` takes for settings where no others are given, by what is learned."""
