"""Endings of file names that are plainly media."""

_ALL = """
.mp4 .m4v .mov .mkv .webm .avi .wmv .flv .mpg .mpeg .m2v .mts .m2ts .ts .vob .ogv .3gp .3g2 .mxf
.asf .f4v .jpg .jpeg .jpe .png .gif .webp .avif .heic .heif .tif .tiff .bmp .apng .jxl .jp2
"""
MEDIA = frozenset(_ALL.split())
