"""HTTP: photos in, JSON out. It translates; the data plane decides.

front       the ASGI application: routes, request ids, problem answers
photos      POST /v1/photos and /v1/photos:batch
bodies      request bodies, counted while they are read, never on disk
inference   /v2, the Open Inference Protocol; inference_bodies reads and writes its bodies
jobs        /v1/videos and /v1/photo-sets, by job_routes; upload_bodies and job_bodies read what is
            sent, job_events tells of progress, job_answers and report_formats say what is answered
schedules   /v1/schedules: what arrives below a prefix becomes jobs
answers     the JSON of an answer
problems    the JSON of an error (RFC 9457), and which error has which status
health      /livez, /readyz, /metrics
observed    counts requests, and tells them as spans
lingering   lets a client read an early answer
"""
