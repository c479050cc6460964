"""gRPC: the Open Inference Protocol, health and reflection. It translates; the data plane decides.

beside         starts the server with the front and stops it with it
server         the server: its limits, its services, its end
inference      the protocol's calls
messages       its messages, to questions and from answers
frames         looks at a message before it is parsed
context        what a handler is given
health         the standard health service
calls          interceptor: request ids, statuses, metrics
receiving      interceptor: what takes in small messages, bounded
statuses       which error has which status, and when to try again
"""
