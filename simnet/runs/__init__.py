"""Everything from a scenario to a finished run: building it, the engine that drives it, its traffic, its folder."""
