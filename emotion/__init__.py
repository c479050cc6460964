"""What a face, an emotion and a photo's answer are. Importable alone: no framework in here.

    photo   bytes -> decode -> detect -> align -> classify -> answer

Training and serving both import this package, and never each other: a fact that both need
(label order, crop size, framing, model contract) is written here, once.
"""
