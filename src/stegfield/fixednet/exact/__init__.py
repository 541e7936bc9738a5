"""The exact profile: for files that keep every sample."""
