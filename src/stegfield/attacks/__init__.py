"""Attacks: damage to what is published, and guesses by those who have no key.

They measure; nothing here helps to hide. Each is given more than its adversary would have, so that
what it does not find, nobody finds who looks in that way.
"""
