"""Files for browsers: our pages and their assets, a web client's folder, and compressed files.

See docs/operating.md, "Pages".
"""
