"""Peers: other methods of hiding images in an image, run here on the same images.

A peer is one file and one line in `stegfield.bench.experiments.HIDERS`: a function that takes the
data, the cover and its secrets, and settings, and returns the 8-bit stego image and what receivers
recover from it. Each is written from its paper's description; its docstring names the paper and
every departure from it. Published weights are read from the data folder.
"""
