"""JPEG files: quantised coefficients of every component, all else byte for byte, and back.

    file = jpeg.decode(data, "photo.jpg")
    luma = file.components[0]
    luma.picture  # int16, rows x columns of blocks x 64 modes, mode 8 v + u; without padding
    luma.table  # quantisation step of each mode
    up, down = file.open_ways(0)  # which changes by one of luma.picture can be written
    stego = file.with_coefficients([changed, None, None])
    jpeg.encode(stego)

`encode` of `decode` gives back the same bytes, of every baseline file: all samplings, restart
intervals, several scans, grey, YCbCr and CMYK. After a change only entropy-coded data is written
anew, and Huffman tables where they were optimal for the coefficients before. Progressive and
arithmetic-coded files are refused, or made baseline ones with ``allow_recompress``.

Source: ITU-T T.81.
"""

from stegfield.jpeg.files import LARGEST_POINTS, Coding, Component, JpegFile
from stegfield.jpeg.frame import ZIGZAG
from stegfield.jpeg.quality import estimated_quality
from stegfield.jpeg.reading import decode, encode
from stegfield.jpeg.sayable import Ways
from stegfield.jpeg.stripping import without_metadata

__all__ = [
    "LARGEST_POINTS",
    "ZIGZAG",
    "Coding",
    "Component",
    "JpegFile",
    "Ways",
    "decode",
    "encode",
    "estimated_quality",
    "without_metadata",
]
