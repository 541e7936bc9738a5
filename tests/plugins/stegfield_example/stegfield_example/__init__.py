"""One plug-in of every kind for stegfield."""
