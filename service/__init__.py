"""What runs: HTTP, the two model stages, and the command line.

settings                         what is configured
models/                          the model files: served, pulled, swapped
model_watches                    keep a running service's model up to date
stages/                          who stands behind the pipeline's two stages
http/                            photos in, JSON out
grpc/                            the same for machines
open_inference/                  what both say in the Open Inference Protocol
runners, inline, triton          the topologies, each an entry module for BentoML
command_line, supervisor         `rapt photo`, `rapt serve`, `rapt models`
telemetry                        sent to nobody
"""

from service.telemetry import forbid_telemetry

# The one thing done by an import: the libraries that it silences read their variables when they
# are imported themselves.
forbid_telemetry()
