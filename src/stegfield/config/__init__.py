"""Settings of the long jobs, a file each; the command line takes its flags and help from here.

Nothing heavy is imported, so that ``--help`` is quick.
"""

from stegfield.config.app import AppConfig
from stegfield.config.attack import AttackConfig
from stegfield.config.descent import LARGEST_NETWORKS, DescentConfig
from stegfield.config.embed import (
    CONSTRAINT_HEIGHTS,
    GRAIN,
    GRAINS,
    LARGEST_BPP,
    EmbedConfig,
)
from stegfield.config.fit import FitConfig
from stegfield.config.gan import (
    GENERATOR_RANGES,
    MOST_HIDDEN,
    NEVER,
    GanConfig,
    gan_config,
)
from stegfield.config.hide import MILLION, RATIO, HideConfig, SlotRule, ValueRule
from stegfield.config.presets import PRESETS
from stegfield.config.settings import Range, Settings, changed

__all__ = [
    "CONSTRAINT_HEIGHTS",
    "GENERATOR_RANGES",
    "GRAIN",
    "GRAINS",
    "LARGEST_BPP",
    "LARGEST_NETWORKS",
    "MILLION",
    "MOST_HIDDEN",
    "NEVER",
    "PRESETS",
    "RATIO",
    "AppConfig",
    "AttackConfig",
    "DescentConfig",
    "EmbedConfig",
    "FitConfig",
    "GanConfig",
    "HideConfig",
    "Range",
    "Settings",
    "SlotRule",
    "ValueRule",
    "changed",
    "gan_config",
]
