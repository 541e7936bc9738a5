"""Images: files, Pillow's images and arrays to signals, and back.

Read: PNG, JPEG, WebP, BMP, TIFF, PPM, AVIF, HEIC and GIF of a single frame, 8 pixels a side to 80
megapixels; of the pictures that a camera put into one JPEG (MPO), the first; of the pages of a
TIFF, the one that is not marked as a smaller copy. HEIC comes with ``stegfield[media]``: the
libraries under it are larger than all others together, and one of them has the GPL.

What becomes of a file's samples:

- 8-bit grey and RGB are taken as they are; two-valued images become grey.
- Of 16-bit grey and RGB the values keep all bits. As 8-bit samples, v becomes round(v / 257), so
  that 0 stays 0 and 65535 becomes 255. Where there is transparency, and in RGB images of Pillow's,
  the high byte is taken.
- Palettes become RGB. CMYK, YCbCr and LAB become RGB as Pillow converts them, without profiles.
- EXIF orientation is applied.
- Transparency is refused, unless the caller has it flattened onto white.

What a file says of its samples goes along as a `Look`.

Written: 8 bits, with the look as far as the format can hold it. PNG, BMP, TIFF and WebP, which is
written without loss, keep every sample; JPEG does not.
"""

from stegfield.signals.images.medium import (
    IMAGE,
    from_array,
    from_pillow,
    reduced,
    resize,
    to_jpeg,
    to_pillow,
    to_png,
)
from stegfield.signals.images.opening import SMALLEST_SIDE

__all__ = [
    "IMAGE",
    "SMALLEST_SIDE",
    "from_array",
    "from_pillow",
    "reduced",
    "resize",
    "to_jpeg",
    "to_pillow",
    "to_png",
]
