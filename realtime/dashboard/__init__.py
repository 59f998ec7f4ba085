"""The dashboard's overview: pure functions from figures to what travels, without I/O and without `await`."""
