"""What is done with the image: pinned, its steps tried, its packages listed. See ``Containerfile``.

Run from the checkout; nothing of it is served or installed.
"""
