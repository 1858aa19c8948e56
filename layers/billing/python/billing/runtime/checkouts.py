"""What a page to pay on is made with, beside the table and Stripe."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.link_keys import DerivedLinkSecrets, link_key_of
from billing.domain.checkout import CheckoutSite
from billing.ports.checkouts import LinkSecrets
from billing.runtime.clients import sdk_config
from billing.runtime.settings import link_key_secret_arn, platform_fee_basis_points, portal_invoices_url


@cache
def site() -> CheckoutSite:
    return CheckoutSite(invoices_url=portal_invoices_url(), fee_basis_points=platform_fee_basis_points())


@cache
def link_secrets() -> LinkSecrets:
    return DerivedLinkSecrets(_key)


def _key() -> str:
    client = boto3.client("secretsmanager", config=sdk_config())
    return link_key_of(client.get_secret_value(SecretId=link_key_secret_arn())["SecretString"])
