"""What an operator does with a whole database: copy it, save it, write it as lines, look into it.

See docs/command-line.md.
"""
