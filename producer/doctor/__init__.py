"""Is everything here that a scan needs, and if not, what is to be done."""

from producer.doctor.examine import examine
from producer.doctor.finding import Finding
from producer.doctor.show import render, to_json

__all__ = ["Finding", "examine", "render", "to_json"]
