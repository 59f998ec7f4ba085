"""`boardcast doctor`: opens every exit of a running server and measures it (docs/command-line.md)."""
