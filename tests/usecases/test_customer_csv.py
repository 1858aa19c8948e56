"""Files of customers: all or nothing, each line once, likenesses told."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from billing.api.csv_import import ImportErrorResponse
from billing.api.customer_csv import customer_rows
from billing.api.language import Language
from billing.domain.customer_csv import CUSTOMER_COLUMNS, CustomerImport
from billing.domain.duplicates import Likeness
from billing.domain.errors import FieldErrors, IdempotencyKeyReused
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.ports.paging import PageRequest
from billing.usecases.customer_csv import import_customer_csv
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop

HEADER = "Nom;Type;E-mail;Adresse;Code postal;Ville;Pays;SIREN;Délai de paiement\n"
FILE = (
    HEADER + "Épicerie du Marché;professionnel;;12 rue du Marché;69002;Lyon;France;732829320;30 jours\n"
    "Camille Exemple;Particulier;camille@exemple.test;3 place Neuve;13001;Marseille;;;\n"
    "Tessuti SRL;société;;Via Roma 1;00184;Roma;Italie;;0\n"
)


def imported(
    shop: Shop,
    text: str,
    *,
    dry_run: bool = False,
    once: IdempotentRequest | None = None,
    crash: CrashPoint | None = None,
) -> CustomerImport:
    held = shop.repositories.customers
    return import_customer_csv(
        shop.caller,
        customer_rows(text.encode()),
        dry_run=dry_run,
        once=once or shop.once("importCustomerCsv"),
        customers=crash.watch(held) if crash else held,
        clock=shop.clock,
        ids=shop.ids,
    )


def names(shop: Shop) -> list[str]:
    return [row.name for row in shop.repositories.customers.list(shop.caller, PageRequest(limit=100)).items]


def test_each_line_becomes_a_customer(shop: Shop) -> None:
    report = imported(shop, FILE)

    made = [shop.repositories.customers.read(shop.caller, one.resource_id).description for one in report.imported]
    assert [one.line for one in report.imported] == [2, 3, 4]
    assert [one.name for one in made] == ["Épicerie du Marché", "Camille Exemple", "Tessuti SRL"]
    assert [one.kind for one in made] == ["business", "individual", "business"]
    assert [one.billing_address.country_code for one in made] == ["FR", "FR", "IT"]
    assert [one.payment_terms_days for one in made] == [30, None, 0]


def test_one_wrong_line_stops_them_all_and_every_error_is_named(shop: Shop) -> None:
    wrong = FILE + "Sans ville;pro;nulle-part;1 rue;6900;;FR;123;bientôt\nDé \U0001f3b2;pro;;1 rue;69001;Lyon;;;\n"

    with pytest.raises(FieldErrors) as refused:
        imported(shop, wrong)

    assert {error.pointer for error in refused.value.errors} == {
        "/rows/5/email",
        "/rows/5/billing_address/city",
        "/rows/5/siren",
        "/rows/5/payment_terms_days",
        "/rows/6/name",
    }
    assert names(shop) == []
    report = imported(shop, wrong, dry_run=True)
    assert (report.errors, report.imported, names(shop)) == (refused.value.errors, (), [])


def test_rules_between_fields_hold_for_a_line_too(shop: Shop) -> None:
    report = imported(shop, HEADER + "Camille;particulier;;1 rue;690;Lyon;;732829320;\n", dry_run=True)

    assert [error.pointer for error in report.errors] == ["/rows/2/billing_address/postal_code", "/rows/2/siren"]


def test_contacts_and_further_addresses_are_read_in_order_and_their_errors_named(shop: Shop) -> None:
    titles = "Interlocuteur 1 : nom;contact 2 name;Interlocuteur 2 : e-mail;Interlocuteur 2 : reçoit les factures;"
    titles += "Adresse supplémentaire 1 : libellé;further address 1 use;Adresse supplémentaire 1 : adresse;"
    titles += "Adresse supplémentaire 1 : code postal;Adresse supplémentaire 1 : ville\n"
    header = HEADER.strip() + ";" + titles
    own = "Tessuti SRL;pro;;Via Roma 1;00184;Roma;IT;;;"

    report = imported(shop, header + own + "Ada;Bob;b@exemple.test;oui;Entrepôt;Livraison;2 rue;69001;Lyon\n")
    wrong = imported(
        shop,
        header
        + own
        + ";Bob;;;;;;;\n"
        + own
        + "Ada;Bob;;oui;;;;;\n"
        + own
        + "Ada;Bob;;peut-être;Entrepôt;garage;2 rue;69;Lyon\n",
        dry_run=True,
    )

    made = shop.repositories.customers.read(shop.caller, report.imported[0].resource_id).description
    assert [(one.name, one.email, one.receives_invoices) for one in made.contacts] == [
        ("Ada", None, False),
        ("Bob", "b@exemple.test", True),
    ]
    assert [(one.label, one.use, one.address.city) for one in made.addresses] == [("Entrepôt", "delivery", "Lyon")]
    assert {error.pointer for error in wrong.errors} == {
        "/rows/2/contacts/0",
        "/rows/3/contacts/1/email",
        "/rows/4/contacts/1/receives_invoices",
        "/rows/4/addresses/0/use",
    }
    told = [ImportErrorResponse.of(error, CUSTOMER_COLUMNS, Language.FRENCH).column for error in wrong.errors]
    assert told[:2] == ["Interlocuteur 1 : nom", "Interlocuteur 2 : e-mail"]


def test_likenesses_are_told_and_stop_nothing(shop: Shop) -> None:
    known = shop.customer(name="Tessuti", siren=None, siret=None, vat_number=None, email=None)
    twice = FILE + "SARL Épicerie du marché;pro;;12 rue du Marché;69002;Lyon;;;\n"

    tried = imported(shop, twice, dry_run=True)
    done = imported(shop, twice)

    assert [(one.line, one.other_line, one.customer_id) for one in tried.warnings] == [(5, 2, None)]
    assert tried.warnings[0].likenesses == (Likeness.NAME,)
    assert len(done.imported) == 4
    again = imported(shop, HEADER + "Tessuti SAS;pro;;Via Roma 1;00184;Roma;IT;;\n", dry_run=True)
    assert [(one.line, one.customer_id, one.name) for one in again.warnings] == [(2, known.customer_id, "Tessuti")]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_and_the_same_request_again_import_each_line_once(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        once = shop.once("importCustomerCsv")
        crash = CrashPoint(at, after)
        with contextlib.suppress(Crashed):
            imported(shop, FILE, once=once, crash=crash)
        if crash.calls < at:
            break

        with contextlib.suppress(AlreadyAnswered):
            imported(shop, FILE, once=once)

        assert names(shop) == ["Camille Exemple", "Épicerie du Marché", "Tessuti SRL"]
        told = {subject: events for (_, subject), events in shop.repositories.store.events.items()}
        assert [len(events) for subject, events in told.items() if subject.startswith("cus_")] == [1, 1, 1]
        with pytest.raises(AlreadyAnswered):
            imported(shop, FILE, once=once)
    assert at > 4


def test_a_request_whose_answers_were_forgotten_still_imports_nothing_twice(shop: Shop) -> None:
    once = shop.once("importCustomerCsv")
    first = imported(shop, FILE, once=once)
    shop.repositories.store.answers.clear()

    assert imported(shop, FILE, once=once).imported == first.imported
    assert len(names(shop)) == 3


def test_a_key_serves_one_file(shop: Shop) -> None:
    imported(shop, FILE, once=factories.once("key", operation="importCustomerCsv", body="one"))

    with pytest.raises(IdempotencyKeyReused):
        imported(shop, FILE, once=factories.once("key", operation="importCustomerCsv", body="another"))
