"""Where an instance of the local cloud listens and keeps its files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).resolve().parent.parent
HOST: Final = "127.0.0.1"
REGION: Final = "eu-west-3"
ACCOUNT_ID: Final = "000000000000"
STACK_NAME: Final = "zenbilling"
DEFAULT_PORT: Final = 3000
# One key pair for every process: an address presigned by one is checked by another.
ACCESS_KEY_ID: Final = "test"
SECRET_ACCESS_KEY: Final = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Seven ports in a row; several instances run side by side on different bases."""

    base: int

    @property
    def api(self) -> int:
        return self.base

    @property
    def control(self) -> int:
        return self.base + 1

    @property
    def dynamodb(self) -> int:
        return self.base + 2

    @property
    def ministack(self) -> int:
        return self.base + 3

    @property
    def step_functions(self) -> int:
        return self.base + 4

    @property
    def smtp(self) -> int:
        return self.base + 5

    @property
    def stripe(self) -> int:
        return self.base + 6

    def all(self) -> range:
        return range(self.base, self.base + 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The project served, the ports it is served on, and the directory that keeps its state."""

    project: Path
    state: Path
    ports: Ports

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def mail(self) -> Path:
        return self.state / "mail"

    @property
    def pending_mail_events(self) -> Path:
        return self.state / "data" / "mail-events"

    @property
    def mail_refusal_file(self) -> Path:
        """What the mailbox answers instead of taking a mail, while it is there."""
        return self.run / "mail-refusal.txt"

    @property
    def database(self) -> Path:
        return self.state / "data" / "dynamodb.sqlite"

    @property
    def stripe_database(self) -> Path:
        return self.database.parent / "stripe.sqlite"

    def operator_file(self, name: str) -> Path:
        """The secret of the second factor of an operator of this machine."""
        return self.database.parent / f"operator-{name}.txt"

    @property
    def clock_file(self) -> Path:
        return self.database.parent / "clock.json"

    @property
    def resources_file(self) -> Path:
        return self.run / "resources.json"

    @property
    def ready_file(self) -> Path:
        return self.run / "ready.json"

    @property
    def template_file(self) -> Path:
        return self.project / "template.yaml"

    @property
    def engine(self) -> Path:
        """The DynamoDB engine `make` installs. It may be missing: ministack stands in then."""
        installed = PROJECT / ".venv/npm/node_modules/@dynoxide/linux-x64/dynoxide"
        return Path(os.environ.get("DYNOXIDE", installed))

    @property
    def ministack_python(self) -> Path:
        return PROJECT / ".venv/ministack/bin/python"

    @property
    def api_url(self) -> str:
        return url(self.ports.api)

    @property
    def control_url(self) -> str:
        return url(self.ports.control)

    @property
    def ministack_url(self) -> str:
        return url(self.ports.ministack)

    @property
    def step_functions_url(self) -> str:
        return url(self.ports.step_functions)

    @property
    def stripe_url(self) -> str:
        return url(self.ports.stripe)

    @property
    def dynamodb_url(self) -> str:
        return url(self.ports.dynamodb) if self.engine.is_file() else self.ministack_url

    def make_directories(self) -> None:
        for directory in (self.run, self.logs, self.mail, self.pending_mail_events, self.database.parent):
            directory.mkdir(parents=True, exist_ok=True)

    def to_json(self) -> str:
        return json.dumps({"project": str(self.project), "state": str(self.state), "port": self.ports.base})

    @classmethod
    def from_json(cls, text: str) -> Layout:
        """What a parent process wrote on the command line of its child."""
        fields: dict[str, Any] = json.loads(text)
        return cls(project=Path(fields["project"]), state=Path(fields["state"]), ports=Ports(base=fields["port"]))


def url(port: int) -> str:
    return f"http://{HOST}:{port}"


def endpoint_variables(layout: Layout) -> dict[str, str]:
    """The only difference a function could see: where the SDK finds each service."""
    ministack = layout.ministack_url
    return {
        "AWS_ENDPOINT_URL": ministack,  # whatever is not named below stays on this machine too
        "AWS_ENDPOINT_URL_DYNAMODB": layout.dynamodb_url,
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": layout.dynamodb_url,
        "AWS_ENDPOINT_URL_S3": ministack,
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": ministack,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": ministack,
        "AWS_ENDPOINT_URL_SESV2": ministack,
        "AWS_ENDPOINT_URL_SQS": ministack,
        "AWS_ENDPOINT_URL_SFN": layout.step_functions_url,
        "AWS_ENDPOINT_URL_LAMBDA": layout.control_url,
    }
