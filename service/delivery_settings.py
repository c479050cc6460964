"""Settings of deliveries: who may be told of a job's end, and how."""

import base64
import binascii
from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

Network = IPv4Network | IPv6Network

_SECRET_PREFIX = "whsec_"  # noqa: S105  # what a secret begins with
_LEAST_SECRET, _MOST_SECRET = 24, 64  # Bytes.
# Properties of librdkafka that decide whether a message is lost.
_OURS = frozenset(
    {"acks", "bootstrap.servers", "enable.auto.commit", "group.id", "on_commit", "transactional.id"}
)


class DeliverySettings(BaseSettings):
    """What is told of a job's end, and to whom."""

    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs webhooks: whsec_ and 24 to 64 bytes in base64. Several, separated by "
        "spaces, sign each, while receivers change from one to the next. Empty: no job may have a "
        "webhook.",
    )
    webhook_networks: str = Field(
        default="",
        description="Networks that webhooks may go to though they are not public, as in "
        "10.1.0.0/16,fd00::/8.",
    )
    webhook_insecure: bool = Field(
        default=False, description="Let webhooks be http:// too: for trying things out."
    )
    webhook_seconds: float = Field(
        default=10.0,
        gt=0.0,
        le=30.0,
        description="A webhook that has not answered by then is tried again later.",
    )
    delivery_hours: float = Field(
        default=24.0,
        gt=0.0,
        allow_inf_nan=False,
        description="Who couldn't be told of a job's end within so many hours is not told.",
    )

    kafka_servers: str = Field(
        default="",
        description="Kafka's brokers, as in kafka-1:9092,kafka-2:9092; empty: no jobs by messages.",
    )
    kafka_group: str = Field(
        default="rapt", min_length=1, description="The consumer group that reads requests."
    )
    kafka_options: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="More properties of librdkafka, as a JSON object of strings: TLS, user, "
        "password.",
    )

    @field_validator("kafka_options")
    @classmethod
    def _leave_ours(cls, options: dict[str, str]) -> dict[str, str]:
        for name in _OURS.intersection(options):
            raise ValueError(f"{name} is Rapt's to set: what it promises depends on it")
        return options

    @field_validator("webhook_secret")
    @classmethod
    def _are_secrets(cls, secrets: SecretStr) -> SecretStr:
        for secret in secrets.get_secret_value().split():
            _key_of(secret)
        return secrets

    @field_validator("webhook_networks")
    @classmethod
    def _are_networks(cls, networks: str) -> str:
        _networks_of(networks)
        return networks

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """What webhooks are signed with; none where there are to be no webhooks."""
        return tuple(_key_of(secret) for secret in self.webhook_secret.get_secret_value().split())

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        """Where webhooks may go beside public addresses."""
        return _networks_of(self.webhook_networks)


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not (secret.startswith(_SECRET_PREFIX) and _LEAST_SECRET <= len(key) <= _MOST_SECRET):
        # What was given isn't told: it may be a secret all the same.
        raise ValueError(
            f"a secret is {_SECRET_PREFIX} and {_LEAST_SECRET} to {_MOST_SECRET} bytes in base64; "
            f'make one with: echo "{_SECRET_PREFIX}$(openssl rand -base64 32)"'
        )
    return key


def _networks_of(networks: str) -> tuple[Network, ...]:
    return tuple(ip_network(one.strip()) for one in networks.split(",") if one.strip())
