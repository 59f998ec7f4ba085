"""The command line `boardcast` (docs/command-line.md)."""
