"""Kafka: jobs that are asked for by messages, and told of by messages.

``python -m service.kafka`` is a process of its own; ``rapt serve`` keeps one beside its workers
where RAPT_KAFKA_SERVERS is set.

messages       topics, and what is in their messages
broker         the connection: whether it stands, and what is published
requests       a message in, a job or a dead letter out
announcements  tells of jobs that have ended, as a courier's sender
bridge         goes round: reads, tells, says how the connection stands
schemas        the same messages as files in docs/kafka
"""
