"""Who stands behind the photo pipeline's two stages.

tasks      what is asked of a stage, and the batch functions that answer it
inline     in this process, micro-batched; inline_video, for the frames of a video
runners    BentoML services, batched by BentoML
triton     a Triton server, which batches for all who ask it
observed   any of these, as the front asks them: counted and traced; told_batches, batches likewise
"""
