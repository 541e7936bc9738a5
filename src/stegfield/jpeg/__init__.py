"""Baseline JPEG files: quantised coefficients of every component, all else byte for byte, and back.

    file = jpeg.decode(data, "photo.jpg")
    luma = file.components[0]
    luma.picture              # int16, rows x columns of blocks x 64 modes; mode 8 v + u
    luma.table                # quantisation step of each mode
    up, down = file.open_ways(0)      # which changes by one the file's Huffman tables can say
    stego = file.with_coefficients([changed, None, None])
    jpeg.encode(stego)

`jpeg.encode(jpeg.decode(data))` is ``data``. After a change, only entropy-coded data is written
anew; Huffman tables too, where they were optimal for the coefficients before.

Source: ITU-T T.81.
"""

from stegfield.jpeg.files import LARGEST_POINTS, Coding, Component, JpegFile
from stegfield.jpeg.frame import ZIGZAG
from stegfield.jpeg.reading import decode, encode
from stegfield.jpeg.sayable import Ways

__all__ = [
    "LARGEST_POINTS",
    "ZIGZAG",
    "Coding",
    "Component",
    "JpegFile",
    "Ways",
    "decode",
    "encode",
]
