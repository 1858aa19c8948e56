"""Stripe's objects, with every field that its samples have. What is not simulated is null, as with Stripe."""

from __future__ import annotations

import secrets
import string
from typing import Any, Final

from local.stripe.store import Object

API_VERSION: Final = "2026-10-28.endive"
_LETTERS: Final = string.ascii_letters + string.digits
_NO_ADDRESS: Final = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
# What a standard account in France is asked before it may take payments.
REQUIREMENTS: Final = (
    "business_profile.mcc",
    "business_profile.url",
    "business_type",
    "external_account",
    "tos_acceptance.date",
    "tos_acceptance.ip",
)
_EVIDENCE: Final = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{token(length)}"


def token(length: int = 24) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def shown(found: Object) -> Object:
    """Without what is ours."""
    return {name: _shown(value) for name, value in found.items() if not name.startswith("_")}


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return shown(value)
    return [_shown(one) for one in value] if isinstance(value, list) else value


def listed(url: str, data: list[Object], *, has_more: bool = False) -> Object:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def account(created: int, asked: Object) -> Object:
    account_id = new_id("acct", 16)
    profile = asked.get("business_profile", {})
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": profile.get("mcc"),
            "minority_owned_business_designation": None,
            "name": profile.get("name"),
            "product_description": profile.get("product_description"),
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": profile.get("url"),
        },
        "business_type": asked.get("business_type"),
        "capabilities": dict.fromkeys(asked.get("capabilities", {}), "inactive"),
        "charges_enabled": False,
        "controller": {
            "type": "application",
            "is_controller": True,
            "fees": {"payer": "account"},
            "losses": {"payments": "stripe"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "full"},
        },
        "country": asked.get("country", "FR"),
        "created": created,
        "default_currency": "eur",
        "details_submitted": False,
        "email": asked.get("email"),
        "external_accounts": listed(f"/v1/accounts/{account_id}/external_accounts", []),
        "future_requirements": requirements(()),
        "metadata": asked.get("metadata", {}),
        "payouts_enabled": False,
        "requirements": requirements(REQUIREMENTS),
        "settings": _account_settings(profile.get("name")),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def _account_settings(name: str | None) -> Object:
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": name, "timezone": "Europe/Paris"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": None},
        "payments": {
            "statement_descriptor": None,
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 7, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def requirements(due: tuple[str, ...]) -> Object:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }


def account_link(created: int, url: str) -> Object:
    return {"object": "account_link", "created": created, "expires_at": created + 300, "url": url}


def checkout_session(created: int, *, session_id: str, url: str, asked: Object, wanted: Object) -> Object:
    """``wanted`` holds amount_total, currency, expires_at, payment_method_types."""
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": wanted["amount_total"],
        "amount_total": wanted["amount_total"],
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": asked.get("cancel_url"),
        "client_reference_id": asked.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": created,
        "currency": wanted["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": asked.get("customer"),
        "customer_account": None,
        "customer_creation": "if_required" if wanted["mode"] == "payment" else None,
        "customer_details": None,
        "customer_email": asked.get("customer_email"),
        "discounts": [],
        "expires_at": wanted["expires_at"],
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        },
        "livemode": False,
        "locale": asked.get("locale"),
        "managed_payments": {"enabled": False},
        "metadata": asked.get("metadata", {}),
        "mode": wanted["mode"],
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required" if wanted["mode"] == "payment" else "always",
        "payment_method_configuration_details": {"id": "pmc_local", "parent": None},
        "payment_method_options": {},
        "payment_method_types": wanted["payment_method_types"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": asked.get("submit_type"),
        "subscription": None,
        "success_url": asked.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": url,
        "wallet_options": None,
    }


def customer_details(email: str) -> Object:
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": "Cliente d'exemple",
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def payment_intent(created: int, *, amount: int, currency: str, asked: Object, methods: list[str]) -> Object:
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": "ca_local",
        "application_fee_amount": int(asked["application_fee_amount"]) if "application_fee_amount" in asked else None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{token(25)}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": asked.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": asked.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": methods,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(created: int, intent: Object, *, method: str, status: str, email: str | None) -> Object:
    charge_id = new_id("ch" if method == "card" else "py")
    paid = status == "succeeded"
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if status == "failed" else intent["amount"],
        "amount_refunded": 0,
        "application": "ca_local",
        "application_fee": None,
        "application_fee_amount": intent["application_fee_amount"],
        "balance_transaction": None,
        "billing_details": {
            "address": dict(_NO_ADDRESS),
            "email": email,
            "name": "Cliente d'exemple",
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "EXEMPLE",
        "captured": status != "failed",
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(status),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": _method_details(method, intent["amount"]),
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "refunds": listed(f"/v1/charges/{charge_id}/refunds", []),
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(status: str) -> Object:
    refused = status == "failed"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if refused else "approved_by_network",
        "reason": "generic_decline" if refused else None,
        "seller_message": "The bank did not return any further details." if refused else "Payment complete.",
        "type": "issuer_declined" if refused else "authorized",
    }


def _method_details(method: str, amount: int) -> Object:
    if method == "sepa_debit":
        return {
            "sepa_debit": {
                "bank_code": "20041",
                "branch_code": "01005",
                "country": "FR",
                "fingerprint": "AOB934RVNwzk6xtn",
                "last4": "2606",
                "mandate": new_id("mandate"),
            },
            "type": "sepa_debit",
        }
    return {
        "card": {
            "amount_authorized": amount,
            "authorization_code": None,
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "FR",
            "exp_month": 8,
            "exp_year": 2030,
            "extended_authorization": {"status": "disabled"},
            "fingerprint": "AOB934RVNwzk6xtn",
            "funding": "credit",
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": "4242",
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": "visa",
            "network_token": {"used": False},
            "network_transaction_id": None,
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": None,
            "transaction_link_id": None,
            "wallet": None,
        },
        "type": "card",
    }


def balance_transaction(created: int, *, kind: str, category: str, amount: int, currency: str, source: str) -> Object:
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 7 * 86_400,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": category,
        "source": source,
        "status": "pending",
        "type": kind,
    }


def fee_detail(kind: str, amount: int, currency: str) -> Object:
    description = {"stripe_fee": "Stripe processing fees", "application_fee": "Application fee"}[kind]
    application = "ca_local" if kind == "application_fee" else None
    return {
        "amount": amount,
        "application": application,
        "currency": currency,
        "description": description,
        "type": kind,
    }


def refund(created: int, found: Object, *, amount: int, reason: str | None, metadata: Object, status: str) -> Object:
    """Of a charge."""
    method = found["payment_method_details"]["type"]
    return {
        "id": new_id("re" if method == "card" else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": found["id"],
        "created": created,
        "currency": found["currency"],
        "customer": None,
        "customer_account": None,
        "destination_details": {
            method: {"type": "refund"} if method == "card" else {"reference": None, "reference_status": None},
            "type": method,
        },
        "metadata": metadata,
        "payment_intent": found["payment_intent"],
        "payment_method": found["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def dispute(created: int, found: Object, *, amount: int, reason: str, status: str) -> Object:
    """Of a charge."""
    method = found["payment_method_details"]["type"]
    card = {"brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4"}
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": found["id"],
        "created": created,
        "currency": found["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": created + 9 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": status.startswith("warning"),
        "livemode": False,
        "metadata": {},
        "payment_intent": found["payment_intent"],
        "payment_method_details": {"card": card, "type": "card"} if method == "card" else {"type": method},
        "reason": reason,
        "status": status,
    }


def payout(created: int, *, amount: int, currency: str, arrival: int, automatic: bool) -> Object:
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": arrival,
        "automatic": automatic,
        "balance_transaction": None,
        "created": created,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_local",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": None,
        "type": "bank_account",
    }


def event(created: int, *, kind: str, account_id: str, about: Object, before: Object | None, request: Object) -> Object:
    made: Object = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": request,
        "type": kind,
    }
    if before:
        made["data"]["previous_attributes"] = before
    if account_id:
        made["account"] = account_id
    return made
