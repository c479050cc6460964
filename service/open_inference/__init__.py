"""The Open Inference Protocol, version 2, whatever carries it: HTTP and gRPC translate to this.

contract    the model ``emotion``: its name, tensors, and what metadata says of it
tensors     values as the protocol's bytes, and back
questions   what a client asks, checked
answers     what it is answered
"""
