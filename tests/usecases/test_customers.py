"""Customers with several contacts, addresses and a language of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from billing.domain.errors import StaleVersion, VatNumberMissing
from billing.domain.events import EventType
from billing.domain.parties import Address, AddressUse, Contact, Customer, FurtherAddress, VatNumberStatus
from billing.domain.tongue import DocumentLanguage
from billing.usecases import customers
from tests import factories
from tests.fakes.vat_numbers import KNOWN, FakeVatNumberRegister
from tests.usecases.conftest import Shop


def test_invoices_go_to_the_contact_that_receives_them(shop: Shop) -> None:
    silent = Contact(name="Direction", email="direction@client.exemple.test")
    books = Contact(name="Comptabilité", email="compta2@client.exemple.test", receives_invoices=True)
    customer = shop.customer(contacts=(silent, books), email="accueil@client.exemple.test")

    issued = shop.issue(shop.draft(shop.wanted(customer.customer_id)), send=True)
    shop.render(issued)
    shop.mail(issued)

    [mail] = shop.mailer.accepted
    assert mail.recipient == "compta2@client.exemple.test"
    assert mail.text.startswith("Bonjour Comptabilité,")


def test_a_mail_to_an_address_that_nobody_is_known_at_greets_nobody(shop: Shop) -> None:
    customer = shop.customer(contact_name="Service achats", email="accueil@client.exemple.test")
    issued = shop.issue(shop.draft(shop.wanted(customer.customer_id)), send=True)
    shop.render(issued)
    shop.mail(issued)
    shop.record(issued)

    shop.send(issued.invoice_id, recipient="ailleurs@client.exemple.test")
    shop.mail(issued, 2)

    assert [mail.text.partition(",")[0] for mail in shop.mailer.accepted] == ["Bonjour Service achats", "Bonjour"]


def test_documents_keep_no_contact_and_no_other_address(shop: Shop) -> None:
    quay = Address(line1="1 quai", postal_code="13002", city="Marseille")
    customer = shop.customer(
        contacts=(Contact(name="Zoé"),),
        addresses=(FurtherAddress(label="Entrepôt", use=AddressUse.DELIVERY, address=quay),),
    )

    buyer = shop.issue(shop.draft(shop.wanted(customer.customer_id))).document.buyer

    assert (buyer.contacts, buyer.addresses, buyer.notes) == ((), (), "")
    assert shop.repositories.customers.read(shop.caller, customer.customer_id) == customer


def test_a_draft_that_names_no_language_speaks_the_customers(shop: Shop) -> None:
    customer = shop.customer(language=DocumentLanguage.FRENCH_AND_ENGLISH)
    wanted = shop.wanted(customer.customer_id)

    assert shop.draft(wanted).content.particulars.language is DocumentLanguage.FRENCH
    spoken = shop.draft(replace(wanted, speaks_as_customer=True))
    assert spoken.content.particulars.language is DocumentLanguage.FRENCH_AND_ENGLISH


def checked(shop: Shop, customer_id: str, register: FakeVatNumberRegister) -> Customer:
    return customers.check_customer_vat_number(
        shop.caller,
        customer_id,
        once=shop.once("checkCustomerVatNumber"),
        customers=shop.repositories.customers,
        companies=shop.repositories.companies,
        register=register,
        clock=shop.clock,
        ids=shop.ids,
    )


def edited(shop: Shop, customer: Customer, **changes: Any) -> Customer:
    return customers.edit_customer(
        shop.caller,
        customer.customer_id,
        replace(customer.description, **changes),
        expected_version=customer.version,
        customers=shop.repositories.customers,
        clock=shop.clock,
        ids=shop.ids,
    )


@pytest.mark.parametrize(("valid", "status"), [(True, VatNumberStatus.VALID), (False, VatNumberStatus.INVALID)])
def test_what_the_register_says_is_kept_with_its_proof(shop: Shop, valid: bool, status: VatNumberStatus) -> None:
    customer = shop.customer(vat_number="FR14987654324")
    register = FakeVatNumberRegister(says=replace(KNOWN, valid=valid))

    checked(shop, customer.customer_id, register)

    stored = shop.repositories.customers.read(shop.caller, customer.customer_id)
    assert (stored.vat_number_status, stored.version) == (status, 2)
    assert stored.vat_check is not None
    assert (stored.vat_check.consultation_number, stored.vat_check.checked_at) == ("WAPIAAAA1", shop.clock.now())
    assert register.asked == [("FR14987654324", factories.company_description().vat_number)]
    event = shop.repositories.store.events[shop.caller.tenant_id, customer.customer_id][-1]
    assert event.event_type is EventType.CUSTOMER_VAT_NUMBER_CHECKED
    assert event.data["consultation_number"] == "WAPIAAAA1"


def test_a_register_that_is_down_leaves_the_number_unverified_and_an_earlier_answer_standing(shop: Shop) -> None:
    customer = shop.customer(vat_number="FR14987654324")
    down = FakeVatNumberRegister(says=None)

    assert checked(shop, customer.customer_id, down).vat_number_status is VatNumberStatus.UNVERIFIED
    known = checked(shop, customer.customer_id, FakeVatNumberRegister())
    assert checked(shop, customer.customer_id, down) == known


def test_another_number_is_unverified_again(shop: Shop) -> None:
    customer = shop.customer(vat_number="FR14987654324")
    known = checked(shop, customer.customer_id, FakeVatNumberRegister())

    assert edited(shop, known, name="Autre nom").vat_number_status is VatNumberStatus.VALID
    renamed = shop.repositories.customers.read(shop.caller, customer.customer_id)
    assert edited(shop, renamed, vat_number="DE123456788").vat_number_status is VatNumberStatus.UNVERIFIED


def test_an_answer_about_a_number_that_was_changed_meanwhile_is_not_kept(shop: Shop) -> None:
    customer = shop.customer(vat_number="FR14987654324")
    register = FakeVatNumberRegister(meanwhile=lambda: edited(shop, customer, vat_number="DE123456788"))

    with pytest.raises(StaleVersion):
        checked(shop, customer.customer_id, register)


def test_a_customer_without_a_number_has_nothing_to_check(shop: Shop) -> None:
    customer = shop.customer(vat_number=None)

    assert customer.vat_number_status is None
    with pytest.raises(VatNumberMissing):
        checked(shop, customer.customer_id, FakeVatNumberRegister())
