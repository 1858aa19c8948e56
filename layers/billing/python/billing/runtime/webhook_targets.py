"""Where webhooks may go."""

from __future__ import annotations

from billing.domain.webhooks import WebhookTargets
from billing.runtime.settings import webhook_targets_kind


def targets() -> WebhookTargets:
    return WebhookTargets(webhook_targets_kind())
