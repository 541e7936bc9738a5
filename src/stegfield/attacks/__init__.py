"""Attacks: damage to published files, and guesses by adversaries without a key.

They measure; nothing here hides anything. Each attack gets more than its adversary would have, so
what it does not find, no adversary finds in the same way.
"""
