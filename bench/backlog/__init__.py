"""The parts of `python -m bench queue`; each takes a few minutes and returns its figures."""

from collections.abc import Callable, Mapping

#: Numbers by name; a name without a database stands for the worse of the two.
Figures = dict[str, float]
Part = Callable[[], Figures]
Parts = Mapping[str, Part]
