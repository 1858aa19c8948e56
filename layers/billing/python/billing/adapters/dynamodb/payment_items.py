"""The item of a payment."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, text
from billing.domain.payments import Payment
from billing.ports.payments import PaymentSummary

PAYMENT = "payment"


def payment_to_item(payment: Payment) -> Item:
    key = keys.payment(payment.tenant_id, payment.payment_id)
    by_date = keys.dated(payment.paid_on, payment.payment_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=PAYMENT,
        schema_version=SCHEMA_VERSION,
        tenant_id=payment.tenant_id,
        version=payment.version,
        body=dump(payment),
        summary=dump(PaymentSummary.of(payment)),
        listing_pk=keys.payment_listing(payment.tenant_id),
        listing_sk=by_date,
        customer_pk=keys.payment_customer(payment.tenant_id, payment.customer_id),
        customer_sk=by_date,
    )


def payment_from_item(stored: Item) -> Payment:
    return load(Payment, text(stored, "body"))
