"""What the environment says; the only place that reads it, each variable when it is needed."""

from __future__ import annotations

import os

PRODUCT_VERSION = "0.1.0"


def alerts_secret_arn() -> str:
    return os.environ["ALERTS_SECRET_ARN"]


def alerts_topic_arn() -> str:
    return os.environ["ALERTS_TOPIC_ARN"]


def stack_name() -> str:
    """How the names of its alarms begin."""
    return os.environ["STACK_NAME"]


def billing_table_name() -> str:
    return os.environ["BILLING_TABLE_NAME"]


def canary_secret_arn() -> str:
    return os.environ["CANARY_SECRET_ARN"]


def public_api_url() -> str:
    """As the world reaches it."""
    return os.environ["PUBLIC_API_URL"]


def released_version_arns() -> tuple[str, ...]:
    """Of the functions that a release is tried by."""
    return tuple(os.environ["RELEASED_VERSION_ARNS"].split(","))


def documents_bucket_name() -> str:
    return os.environ["DOCUMENTS_BUCKET_NAME"]


def usage_table_name() -> str:
    return os.environ["USAGE_TABLE_NAME"]


def viewer_headers_kind() -> str:
    """Whose headers tell address and country of a viewer: ``cloudfront``, or ``none``."""
    return os.environ["VIEWER_HEADERS_KIND"]


def web_origin_urls() -> tuple[str, ...]:
    """Origins of the web app."""
    return tuple(os.environ["WEB_ORIGIN_URLS"].split(","))


def user_pool_id() -> str:
    return os.environ["USER_POOL_ID"]


def user_pool_client_id() -> str:
    return os.environ["USER_POOL_CLIENT_ID"]


def mail_transport_kind() -> str:
    """``ses`` or ``smtp``."""
    return os.environ["MAIL_TRANSPORT_KIND"]


def mail_from_address() -> str:
    return os.environ["MAIL_FROM_ADDRESS"]


def ses_configuration_set_name() -> str:
    return os.environ["SES_CONFIGURATION_SET_NAME"]


def smtp_secret_arn() -> str:
    return os.environ["SMTP_SECRET_ARN"]


def invoice_delivery_state_machine_arn() -> str:
    return os.environ["INVOICE_DELIVERY_STATE_MACHINE_ARN"]


def ledger_verification_state_machine_arn() -> str:
    return os.environ["LEDGER_VERIFICATION_STATE_MACHINE_ARN"]


def bulk_job_state_machine_arn() -> str:
    return os.environ["BULK_JOB_STATE_MACHINE_ARN"]


def link_key_secret_arn() -> str:
    return os.environ["LINK_KEY_SECRET_ARN"]


def platform_fee_basis_points() -> int:
    return int(os.environ["PLATFORM_FEE_BASIS_POINTS"])


def portal_quotes_url() -> str:
    """Where a public link to a quote leads; its token follows after a slash."""
    return os.environ["PORTAL_QUOTES_URL"]


def portal_invoices_url() -> str:
    """Where a public link to an invoice leads; its token follows after a slash."""
    return os.environ["PORTAL_INVOICES_URL"]


def stripe_api_url() -> str:
    return os.environ["STRIPE_API_URL"]


def stripe_events_queue_url() -> str:
    return os.environ["STRIPE_EVENTS_QUEUE_URL"]


def stripe_events_dead_letter_queue_url() -> str:
    return os.environ["STRIPE_EVENTS_DEAD_LETTER_QUEUE_URL"]


def streams_dead_letter_queue_url() -> str:
    return os.environ["STREAMS_DEAD_LETTER_QUEUE_URL"]


def events_dead_letter_queue_url() -> str:
    return os.environ["EVENTS_DEAD_LETTER_QUEUE_URL"]


def mail_events_topic_arn() -> str:
    return os.environ["MAIL_EVENTS_TOPIC_ARN"]


def route_alert_function_arn() -> str:
    return os.environ["ROUTE_ALERT_FUNCTION_ARN"]


def receive_mail_event_function_arn() -> str:
    return os.environ["RECEIVE_MAIL_EVENT_FUNCTION_ARN"]


def stripe_secret_arn() -> str:
    return os.environ["STRIPE_SECRET_ARN"]


def stripe_webhook_secret_arn() -> str:
    return os.environ["STRIPE_WEBHOOK_SECRET_ARN"]


def stripe_livemode() -> bool:
    """Whether this environment is of Stripe's live mode: it takes no event of the other one."""
    return os.environ["STRIPE_MODE_KIND"] == "live"


def stripe_return_url() -> str:
    """The page of the app that Stripe leads a company back to."""
    return os.environ["STRIPE_RETURN_URL"]


def subscription_return_url() -> str:
    """The page of the app that Stripe leads a company back to from its subscription."""
    return os.environ["SUBSCRIPTION_RETURN_URL"]


def vies_api_url() -> str:
    """Where VIES is asked, without the operation."""
    return os.environ["VIES_API_URL"]


def webhook_key_secret_arn() -> str:
    return os.environ["WEBHOOK_KEY_SECRET_ARN"]


def webhook_targets_kind() -> str:
    """``public``, or ``public-or-loopback`` on a machine of one's own."""
    return os.environ["WEBHOOK_TARGETS_KIND"]


def workflow_restart_after_seconds() -> int:
    return int(os.environ["WORKFLOW_RESTART_AFTER_SECONDS"])
