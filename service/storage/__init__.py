"""Objects: whole files under a key, which is a path with slashes.

What is written stands whole under its key, or not at all.

objects        what a store of objects does
whole_objects  the part of it that is alike for both
folder         one in a folder of this machine
bucket         one in a bucket of S3, Google's or Azure's store
address        the URL of a bucket
ownership      whose objects they are, by a mark among them
"""
