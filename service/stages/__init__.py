"""Who stands behind the photo pipeline's two stages.

tasks      what is asked of a stage, and the batch functions that answer it
inline     in this process, micro-batched
runners    BentoML services, batched by BentoML
triton     a Triton server, which batches for all who ask it
"""
