"""The dashboard's overview: pure functions from rows to what travels, without I/O and without `await`."""
