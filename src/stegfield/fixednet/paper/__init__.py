"""The profile of the paper, to compare with."""
