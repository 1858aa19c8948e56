"""What the PDF of an invoice says is what the document says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf import wording
from billing.adapters.pdf.fonts import embedded_font
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.pdf.sheet import width_of
from billing.adapters.pdf.theme import theme_today
from billing.domain.colours import DEFAULT_ACCENT
from billing.domain.deliverable import Printable
from billing.domain.document_names import name_of
from billing.domain.errors import InvalidInput
from billing.domain.invoice import MAX_LINES, DocumentType, IssuedInvoice
from billing.domain.mentions import Mention, NoteCode
from billing.domain.numbering import NumberPattern
from billing.domain.parties import Customer
from billing.domain.retention import Retention
from billing.domain.situation import Situation, SituationLine
from billing.domain.template import Design
from billing.domain.totals import Discount
from billing.domain.typography import first_unprintable, format_amount, format_euros
from billing.domain.vat import VatCategory
from tests.adapters.pdf.reading import pages, plain, words
from tests.adapters.pdf.test_logo import encoded
from tests.documents import QUOTES, SAMPLES
from tests.factories import (
    BUYER_SIRET,
    address,
    company,
    customer,
    customer_description,
    exempt,
    franchise_company,
    individual_description,
    issued,
    line,
    many_lines,
    taxed,
)

RENDERER = PdfDocumentRenderer(factur_x)
CLASSIC = theme_today(Design.CLASSIC, DEFAULT_ACCENT)


def with_document(invoice: IssuedInvoice, **facts: Any) -> IssuedInvoice:
    return replace(invoice, document=replace(invoice.document, **facts))


def printed(invoice: IssuedInvoice) -> str:
    return words(RENDERER.render(invoice, logo=None))


def minor(text: str) -> int:
    """Cents of ``1 234,56``."""
    return int(re.sub(r"[\s,€]", "", text).replace("−", "-"))


def test_it_names_the_seller_as_the_law_asks() -> None:
    text = printed(issued(seller=company(trade_name="La Maison Exemple")))

    assert "Exemple SARL" in text
    assert "La Maison Exemple" in text
    assert "SARL au capital de 10 000 €" in text
    assert "12 rue de l'Exemple 75011 Paris" in text
    assert "SIRET 123 456 782 00010" in text
    assert "SIREN 123 456 782" in text
    assert "RCS Paris 123 456 782" in text
    assert "TVA FR11123456782" in text
    assert "facturation@exemple.example" in text


def test_a_sole_trader_is_printed_with_ei_and_without_capital() -> None:
    text = printed(issued(seller=franchise_company()))

    assert "Entreprise Exemple EI" in text
    assert "capital" not in text
    assert "RCS" not in text


def test_it_names_the_buyer_and_where_the_goods_go() -> None:
    buyer = customer(delivery_address=address(line1="Quai 4", postal_code="1000", city="Bruxelles", country_code="BE"))

    text = printed(issued(buyer=buyer, purchase_order="BC-2026-0118"))

    assert "Facturé à Atelier Modèle SAS Service comptabilité 8 avenue du Modèle 69003 Lyon" in text
    assert "SIREN 987 654 324 TVA FR14987654324" in text
    assert "Livré à Quai 4 1000 Bruxelles BELGIQUE" in text
    assert "BC-2026-0118" in text


def test_number_and_dates_are_printed() -> None:
    invoice = issued()

    text = printed(invoice)

    assert "Facture F2026-00001" in text
    for day in ("23/11/2026", "23/12/2026"):
        assert day in text


@pytest.mark.parametrize("document_type", DocumentType)
def test_every_type_of_document_has_its_title_and_room_for_it(document_type: DocumentType) -> None:
    invoice = issued()
    other = replace(invoice, document=replace(invoice.document, document_type=document_type))

    first = pages(RENDERER.render(other, logo=None))[0][0]

    assert first.text
    width = embedded_font("Inter-SemiBold").stringWidth(first.text, 22)
    assert first.x + width <= 595 - 45 + 1


def test_every_amount_is_the_documents() -> None:
    invoice = issued(discount=Discount(amount_minor=5_000, reason="Geste commercial"))
    totals = invoice.totals

    text = printed(invoice)

    for item in totals.lines:
        assert plain(format_amount(item.net_minor)) in text
    for group in totals.vat_breakdown:
        assert plain(f"{format_amount(group.taxable_minor)} {format_amount(group.vat_minor)}") in text
    assert f"Total des lignes HT {plain(format_euros(totals.lines_minor))}" in text
    assert f"Geste commercial {plain(format_euros(-totals.discount_minor))}" in text
    assert f"Total HT {plain(format_euros(totals.net_minor))}" in text
    assert f"TVA {plain(format_euros(totals.vat_minor))}" in text
    assert f"Total TTC {plain(format_euros(totals.total_minor))}" in text
    assert text.count(f"Net à payer {plain(format_euros(totals.due_minor))}") == 2


def test_a_line_shows_quantity_unit_price_discount_rate_and_net() -> None:
    odd = line(quantity=Decimal("1234.5"), unit="KGM", unit_price=Decimal("0.123456"), vat=taxed("5.5"),
               discount=Discount(percent=Decimal("2.5")))  # fmt: skip

    text = printed(issued(lines=(odd,)))

    assert "1 234,5 kg 0,123456 −2,5 % 5,5 %" in text


def test_a_unit_outside_the_list_is_printed_as_written() -> None:
    assert "caisse de douze" in printed(issued(lines=(line(unit="caisse de douze"),)))


def belgian() -> Customer:
    return customer(description=customer_description(vat_number="BE0123456749"))


@pytest.mark.parametrize(
    "invoice",
    [
        issued(),
        issued(seller=franchise_company()),
        issued(seller=company(vat_on_debits=True, early_payment_discount="1 % à huit jours")),
        issued(buyer=replace(customer(), description=individual_description())),
        issued(buyer=belgian(), lines=(line(vat=exempt("VATEX-EU-IC", VatCategory.INTRA_COMMUNITY)),)),
        issued(lines=(line(), line(vat=taxed("5.5")), line(vat=exempt("VATEX-EU-79-C")))),
    ],
    ids=["plain", "franchise", "debits", "consumer", "intra-community", "several"],
)
def test_every_mention_is_printed(invoice: IssuedInvoice) -> None:
    text = printed(invoice)

    assert invoice.document.mentions
    for mention in invoice.document.mentions:
        assert plain(mention.text) in text


def test_the_wording_of_an_exemption_stands_once_with_its_vat_group() -> None:
    text = printed(issued(seller=franchise_company()))

    assert "Sans TVA 3 397,50 0,00 TVA non applicable, article 293 B du CGI" in text
    assert text.count("293 B") == 1


def test_several_wordings_stand_once_each() -> None:
    reasons = (exempt("VATEX-EU-79-C"), exempt("VATEX-EU-IC", VatCategory.INTRA_COMMUNITY))

    text = printed(issued(buyer=belgian(), lines=tuple(line(vat=reason) for reason in reasons)))

    for reason in reasons:
        assert reason.wording is not None
        assert text.count(reason.wording) == 1


def test_a_mention_that_is_worded_otherwise_than_its_vat_group_is_printed_too() -> None:
    invoice = issued(seller=franchise_company())
    frozen = Mention(code=NoteCode.EXEMPTION, text="TVA non applicable, ancien article")
    former = replace(invoice, document=replace(invoice.document, mentions=(frozen,)))

    assert frozen.text in printed(former)


def test_payment_says_when_where_and_what_to_quote() -> None:
    text = printed(issued())

    assert "Échéance 23/12/2026 (30 jours)" in text
    assert "IBAN FR14 2004 1010 0505 0001 3M02 606" in text
    assert "BIC EXEMFRPPXXX" in text
    assert "Référence F2026-00001" in text


def test_one_day_is_singular_and_none_is_on_receipt() -> None:
    assert "(1 jour)" in printed(issued(payment_terms_days=1))
    assert "(à réception)" in printed(issued(payment_terms_days=0))


def test_without_an_account_no_transfer_is_asked_for() -> None:
    text = printed(issued(seller=company(iban=None, bic=None)))

    assert "IBAN" not in text
    assert "virement" not in text


def test_notes_and_the_companys_own_footer_are_printed() -> None:
    text = printed(issued(seller=company(footer_text="Membre d'une association agréée."), notes="Merci !\nÀ bientôt."))

    assert "Merci ! À bientôt." in text
    assert "Membre d'une association agréée." in text


def test_a_very_long_footer_is_printed_once_in_full() -> None:
    sentence = "Conditions générales de vente disponibles sur demande. "

    text = printed(issued(seller=company(footer_text=sentence * 40), lines=many_lines(60)))

    assert text.count(sentence.strip()) == 40


def test_pages_are_numbered_and_name_the_document() -> None:
    pdf = RENDERER.render(issued(lines=many_lines(60)), logo=None)

    found = pages(pdf)

    assert len(found) >= 3
    for rank, page in enumerate(found, start=1):
        texts = [text.text for text in page]
        assert f"Page {rank}/{len(found)}" in texts
        assert any("F2026-00001" in text for text in texts)
        assert any(text.startswith("Exemple SARL · ") for text in texts)


def test_the_table_repeats_its_head_and_carries_its_total() -> None:
    invoice = issued(lines=many_lines(90))
    nets = [item.net_minor for item in invoice.totals.lines]

    found = pages(RENDERER.render(invoice, logo=None))

    carried, seen = 0, 0
    with_rows = [page for page in found if any(text.text == "Désignation" for text in page)]
    assert len(with_rows) >= 4
    for rank, page in enumerate(with_rows):
        texts = [text.text for text in page]
        if rank:
            assert minor(texts[texts.index("Report") + 1]) == carried
        rows = sum(text.startswith("Article d'exemple") for text in texts)
        carried += sum(nets[seen : seen + rows])
        seen += rows
        if rank < len(with_rows) - 1:
            assert minor(texts[texts.index("À reporter") + 1]) == carried
    assert seen == 90
    assert carried == invoice.totals.lines_minor


def test_the_last_line_stays_with_the_totals() -> None:
    for count in range(8, 30):
        found = pages(RENDERER.render(issued(lines=many_lines(count)), logo=None))
        with_totals = next(page for page in found if any(text.text == "Total TTC" for text in page))
        assert any(text.text == f"Article d'exemple n° {count}" for text in with_totals)


def test_the_mentions_stay_on_one_page_and_with_what_they_follow() -> None:
    seen = set()
    for count in range(4, 24):
        invoice = issued(lines=many_lines(count), notes="Merci !")
        found = [" ".join(text.text for text in page) for page in pages(RENDERER.render(invoice, logo=None))]
        holding = [page for page in found if any(mention.text in page for mention in invoice.document.mentions)]
        assert len(holding) == 1
        assert "Merci !" in holding[0]
        seen.add((len(found), "Règlement par virement" in holding[0]))
    assert {(1, True), (2, True)} <= seen


@pytest.mark.parametrize("logo_size", [None, (300, 300), (800, 320)])
def test_an_ordinary_invoice_fits_one_page(logo_size: tuple[int, int] | None) -> None:
    seller = company(
        trade_name="La Maison Exemple",
        address=address(line2="Bâtiment C"),
        footer_text="Membre d'une association agréée, le règlement par chèque est accepté.",
    )
    lines = tuple(line(details="Atelier de lancement et compte rendu") for _ in range(5))
    logo = encoded(Image.new("RGB", logo_size, "teal")) if logo_size else None
    invoice = issued(seller=seller, lines=lines, notes="Garantie d'un an.\nMerci de votre confiance.")

    assert len(pages(RENDERER.render(invoice, logo=logo))) == 1


@pytest.mark.parametrize("city", ["Rennes", "Saint-Germain-en-Laye", "Châlons-en-Champagne", "Le Mesnil-Saint-Denis"])
def test_the_footer_breaks_between_its_parts_only(city: str) -> None:
    seller = company(legal_name="Menuiserie Exemple de Bretagne", rcs_city=city, address=address(line2="Bâtiment C"))

    texts = [plain(text.text) for text in pages(RENDERER.render(issued(seller=seller), logo=None))[0]]

    first = next(rank for rank, text in enumerate(texts) if text.startswith("Menuiserie Exemple de Bretagne · "))
    legal = " · ".join(texts[first : first + 2]).split(" · ")
    assert legal[:6] == [
        "Menuiserie Exemple de Bretagne",
        "SARL au capital de 10 000 €",
        "12 rue de l'Exemple, Bâtiment C, 75011 Paris",
        "SIREN 123 456 782",
        f"RCS {city} 123 456 782",
        "TVA FR11123456782",
    ]


def test_a_long_city_keeps_its_postal_code_and_breaks_at_its_hyphens() -> None:
    city = "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson-sur-la-Grande-Rivière"
    buyer = customer(billing_address=address(postal_code="29000", city=city))

    texts = [plain(text.text) for text in pages(RENDERER.render(issued(buyer=buyer), logo=None))[0]]

    at = next(rank for rank, text in enumerate(texts) if text.startswith("29000"))
    assert texts[at : at + 2] == ["29000 Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson-", "sur-la-Grande-Rivière"]


def test_a_cut_word_of_letters_is_hyphenated_and_a_reference_is_not() -> None:
    letters, reference = "consommation" * 12, "A1B2C3D4" * 20

    text = printed(issued(lines=(line(description=letters, details=reference),)))

    assert letters in text.replace("- ", "")
    assert letters not in text.replace(" ", "")
    assert reference in text.replace(" ", "")


def test_free_lines_fill_pages_like_any_other() -> None:
    free = tuple(line(description=f"Offert {rank}", unit_price=Decimal(0)) for rank in range(80))

    found = pages(RENDERER.render(issued(lines=free), logo=None))

    assert len(found) >= 3
    assert all(text.y > 40 for page in found for text in page if text.text.startswith("Offert"))


def test_the_longest_invoice_is_printed_whole() -> None:
    invoice = issued(lines=many_lines(MAX_LINES))

    text = printed(invoice)

    for rank in (1, 250, MAX_LINES):
        assert f"Article d'exemple n° {rank} " in text
    assert plain(format_euros(invoice.totals.due_minor)) in text


def test_details_longer_than_a_page_lose_no_word() -> None:
    details = " ".join(f"mot{rank}" for rank in range(3000))

    text = printed(issued(lines=(line(), line(details=details), line(description="Après"))))

    seen = re.findall(r"mot\d+", text)
    assert seen == details.split()
    assert "Après" in text


def test_a_number_with_a_long_mask_is_printed() -> None:
    seller = company(invoice_number_pattern=NumberPattern("SERVICE/{year}-{0000000001}"))

    assert "SERVICE/2026-0000000001" in printed(issued(seller=seller))


@pytest.mark.parametrize(
    "text",
    ["Œuvre d’été – 100 €", "Ζαχαροπλαστείο", "Общество «Пример»", "Żółć, Įmonė, Ñandú", "m² · ½ n° 3 → ✓", "Nguyễn"],
)
def test_european_alphabets_and_signs_are_printed(text: str) -> None:
    assert text in printed(issued(lines=(line(description=text),)))


def test_accents_typed_apart_are_printed_composed() -> None:
    assert "été" in printed(issued(lines=(line(description="e\u0301te\u0301"),)))


def test_no_break_spaces_survive() -> None:
    pdf = RENDERER.render(issued(lines=(line(description="12\u00a0mètres"),)), logo=None)

    assert any("12\u00a0mètres" in text.text for page in pages(pdf) for text in page)


@pytest.mark.parametrize(
    ("text", "named"), [("Fête 🎉", "U+1F389"), ("日本", "U+65E5"), ("a\u0007b", "U+0007"), ("\uffff", "U+FFFF")]
)
def test_a_character_without_glyph_is_refused_by_name(text: str, named: str) -> None:
    assert first_unprintable(text) is not None
    invoice = issued()
    unprintable = replace(invoice, document=replace(invoice.document, notes=text))

    with pytest.raises(InvalidInput) as refused:
        printed(unprintable)

    assert named in refused.value.detail_fr
    assert named in refused.value.detail_en


def test_a_situation_says_what_is_done_what_was_billed_and_what_is_billed_now() -> None:
    lines = (
        SituationLine(
            index=0,
            label="Charpente",
            worth_minor=1_250_000,
            progress=Decimal("62.5"),
            before_minor=500_000,
            net_minor=281_250,
        ),
        SituationLine(
            index=1, label="Peinture", worth_minor=342_000, progress=Decimal(100), before_minor=342_000, net_minor=0
        ),
    )
    ahead = SituationLine(
        index=2,
        label="Carrelage",
        worth_minor=100_000,
        progress=Decimal(0),
        before_minor=20_000,
        net_minor=0,
        deposit_minor=20_000,
    )
    text = printed(with_document(issued(), situation=Situation(number=2, lines=lines)))
    with_deposit = printed(with_document(issued(), situation=Situation(number=2, lines=(*lines, ahead))))

    assert "Carrelage (dont acompte 200,00) 1 000,00 0 % 200,00 200,00 0,00" in with_deposit
    assert "Avancement des travaux – situation n° 2" in text
    assert "Charpente 12 500,00 62,5 % 7 812,50 5 000,00 2 812,50" in text
    assert "Peinture 3 420,00 100 % 3 420,00 3 420,00 0,00" in text
    assert "Total 15 920,00 11 232,50 8 420,00 2 812,50" in text
    assert "Avancement des travaux" not in printed(issued())


def test_what_is_retained_is_taken_off_what_is_to_be_paid_and_not_off_the_total() -> None:
    retention = Retention(percent=Decimal(5), amount_minor=600)
    invoice = issued(lines=(line(quantity=Decimal(1), unit_price=Decimal(100)),), retention_percent=Decimal(5))
    assert invoice.document.retention == retention
    text = printed(invoice)

    assert "Total TTC 120,00 € Retenue de garantie 5 % −6,00 € Net à payer 114,00 €" in text
    assert "Retenue 6,00 €, payable un an après la réception (loi n° 71-584 du 16 juillet 1971)" in text
    known = replace(retention, due_date=date(2027, 12, 1))
    assert "Retenue 6,00 €, payable le 01/12/2027" in printed(with_document(invoice, retention=known))


def test_a_situation_of_many_lines_goes_on_over_pages() -> None:
    lines = tuple(
        SituationLine(
            index=place, label=f"Lot {place}", worth_minor=100, progress=Decimal(1), before_minor=0, net_minor=1
        )
        for place in range(200)
    )
    pdf = RENDERER.render(with_document(issued(), situation=Situation(number=1, lines=lines)), logo=None)

    text = words(pdf)
    assert all(f"Lot {place} 1,00" in text for place in range(200))
    for page in (plain(" ".join(printed.text for printed in page)) for page in pages(pdf)):
        assert ("Ouvrage Marché HT Avancement" in page) is ("Lot " in page)


def test_a_table_of_a_situation_carries_its_sums_over_pages() -> None:
    sample = SAMPLES["situation-over-several-pages"]()
    situation = sample.document.situation
    assert situation is not None
    shown = [
        plain(" ".join(text.text for text in page))
        for page in pages(RENDERER.render(sample, logo=None))
        if any(text.text == "Ouvrage" for text in page)
    ]

    assert len(shown) >= 2
    for page, following in pairwise(shown):
        tables = [text[text.index("Ouvrage") :] for text in (page, following)]
        count = next(rank for rank in range(1, 71) if f" lot {rank} " in tables[1]) - 1
        sums = " ".join(
            plain(format_amount(sum(amounts)))
            for amounts in zip(
                *(
                    (one.worth_minor, one.so_far_minor, one.before_minor, one.net_minor)
                    for one in situation.lines[:count]
                ),
                strict=True,
            )
        )
        assert f" lot {count} " in tables[0]
        assert f"À reporter {sums}" in tables[0]
        assert f"Report {sums} {situation.lines[count].label}" in tables[1]
    assert "À reporter" not in shown[-1]
    older = printed(with_document(sample, template_version="classic-2"))
    assert older.count("À reporter") < printed(sample).count("À reporter")  # of the lines only


def test_a_deposit_tells_no_date_of_supply_but_the_one_that_was_given() -> None:
    told = {
        name: "Livraison ou prestation" in printed(SAMPLES[name]())
        for name in ("deposit", "deposit-of-a-known-supply", "deposit-to-another-member-state", "one-service")
    }

    assert told == {
        "deposit": False,
        "deposit-of-a-known-supply": True,
        "deposit-to-another-member-state": True,
        "one-service": True,
    }


@pytest.mark.parametrize("one", [SAMPLES["renovation-at-two-rates"], QUOTES["quote-of-renovation"]])
def test_the_customer_certifies_a_reduced_rate_in_a_block_to_sign(one: Callable[[], Printable]) -> None:
    text = words(RENDERER.render(one(), logo=None))

    assert "Certification du client pour le taux réduit de TVA Travaux à 10 % : Je soussigné(e) certifie" in text
    assert "Travaux à 5,5 % : Je soussigné(e) certifie" in text
    assert "et qu'ils ont la nature de travaux de rénovation énergétique. Chacun garde un exemplaire signé" in text
    assert "Date Nom Signature" in text
    assert "Le client certifie" not in text  # the mention stands in the XML


def test_a_certification_names_no_rate_where_there_is_one_and_stands_on_no_credit_note() -> None:
    single, credit = printed(SAMPLES["renovation-at-one-rate"]()), printed(SAMPLES["credit-note-on-renovation"]())

    assert "réduit de TVA Je soussigné(e) certifie" in single
    assert "certifie" not in credit
    assert "Certif" not in credit


def test_a_company_certifies_as_well_and_an_older_document_keeps_its_small_print() -> None:
    sample = SAMPLES["renovation-for-a-company"]()
    older = with_document(sample, template_version="classic-2")

    assert "Je soussigné(e)" in printed(sample)
    assert "Je soussigné(e)" not in printed(older)
    assert "Le client certifie que les travaux améliorent" in printed(older)


def test_a_title_in_two_languages_has_a_line_for_each_within_the_page() -> None:
    for name in ("bilingual", "situation-in-two-languages", "final-in-two-languages", "deposit-in-two-languages"):
        sample = SAMPLES[name]()
        french, english, number = InvoiceLayout(sample.document, CLASSIC, None).pages()[0].texts[:3]
        assert [french.text, english.text] == name_of(sample.document).titles(sample.document.particulars.tongue)
        assert french.y < english.y < number.y
        assert french.style.size > english.style.size
        for text in (french, english):
            assert text.x + width_of(text.text, text.style) <= 595.28 - 45


def test_what_was_paid_before_the_issue_says_so_in_each_language() -> None:
    for name, labels in (
        ("paid-by-card", ("Acquitté, net à payer 0,00 €", "Facture acquittée", "Acquitté le 20/11/2026")),
        ("paid-in-two-languages", ("Facture acquittée / Paid invoice", "Acquitté le / Paid on 20/11/2026")),
        ("paid-in-english", ("Paid, amount due €0.00", "Paid invoice", "Paid on 20 Nov 2026")),
    ):
        text = printed(SAMPLES[name]())
        assert all(label in text for label in labels), name


def test_a_short_table_of_a_situation_stays_on_one_page() -> None:
    situation = SAMPLES["situation"]().document.situation
    assert situation is not None
    with_tables = []
    for count in range(1, 16):
        sample = with_document(issued(lines=many_lines(count)), situation=situation)
        found = [[text.text for text in page] for page in pages(RENDERER.render(sample, logo=None))]
        (holding,) = [page for page in found if "Ouvrage" in page]
        assert all(one.label in holding for one in situation.lines)
        assert "Total" in holding
        with_tables.append(found.index(holding))
    assert set(with_tables) == {0, 1}


def test_a_corrective_invoice_names_the_one_whose_place_it_takes() -> None:
    invoice = SAMPLES["corrective"]()
    (replaced,) = invoice.document.preceding

    assert f"Annule et remplace la facture : {replaced.number} du 05/10/2026" in printed(invoice)


def test_the_establishment_that_is_billed_is_named_by_its_siret() -> None:
    named = printed(SAMPLES["public-sector"]())

    assert plain(f"SIRET {wording.siret(BUYER_SIRET)}") in named
    assert "SIREN 987 654 324" not in named


def test_abroad_the_seller_says_its_country() -> None:
    assert "75011 Paris FRANCE" in printed(SAMPLES["export-of-goods"]())
    assert "FRANCE" not in printed(SAMPLES["one-service"]())
