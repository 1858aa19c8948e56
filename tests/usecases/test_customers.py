"""Customers with several contacts, addresses and a language of their own."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.parties import Address, AddressUse, Contact, FurtherAddress
from billing.domain.tongue import DocumentLanguage
from tests.usecases.conftest import Shop


def test_invoices_go_to_the_contact_that_receives_them(shop: Shop) -> None:
    silent = Contact(name="Direction", email="direction@client.exemple.test")
    books = Contact(name="Comptabilité", email="compta2@client.exemple.test", receives_invoices=True)
    customer = shop.customer(contacts=(silent, books), email="accueil@client.exemple.test")

    issued = shop.issue(shop.draft(shop.wanted(customer.customer_id)), send=True)
    shop.render(issued)
    shop.mail(issued)

    assert [mail.recipient for mail in shop.mailer.accepted] == ["compta2@client.exemple.test"]


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
