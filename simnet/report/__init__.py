"""One HTML file about finished runs: aggregates are made here, small enough to be embedded, and drawn by the scripts in `assets/`."""
