"""The charting library that a report carries: which one, and what its file's bytes must be. `tests/report/` compares."""

from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
NAME, VERSION, LICENSE = "Apache ECharts", "6.1.0", "Apache-2.0"
FILE = "echarts.min.js"
"""`dist/echarts.min.js` of the npm package `echarts`, unchanged; its license and notice lie beside it."""
SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
