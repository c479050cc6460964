"""Checks manifests by what they mean: ``python -m k8s.checks``.

A module holds the rules about one thing; ``rules`` lists all of them.
"""
