"""Steganalysis: what an adversary without the key can tell; a detector's score is high for stegos.

covers, stegos ─detector─► scores ─curves─► AUC, P_E, detection rates
"""
