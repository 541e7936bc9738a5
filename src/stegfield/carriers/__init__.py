"""Carriers: the integers of a file that may carry bits."""
