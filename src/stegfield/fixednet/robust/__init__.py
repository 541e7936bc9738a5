"""The robust profile: for pictures that are re-encoded on their way."""
