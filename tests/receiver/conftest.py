"""Lets the tests of the receiver share their carriers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
