"""The columns of a file of customers, and what an import comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing.domain.csv_import import CsvRow, ImportReport
from billing.domain.csv_table import Column
from billing.domain.duplicates import Likeness, LikenessKey, likeness_keys
from billing.domain.parties import Address, AddressUse, CustomerDescription, CustomerKind

KINDS = {CustomerKind.BUSINESS: "professionnel", CustomerKind.INDIVIDUAL: "particulier"}
YES, NO = "oui", "non"
USES = {AddressUse.BILLING: "facturation", AddressUse.DELIVERY: "livraison"}
MAX_FURTHER = 20  # contacts, and addresses beside the defaults
_CONTACT = {
    "name": ("nom", "name"),
    "role": ("fonction", "role"),
    "email": ("e-mail", "email"),
    "phone": ("téléphone", "phone"),
    "receives_invoices": ("reçoit les factures", "receives invoices"),
    "receives_reminders": ("reçoit les relances", "receives reminders"),
}
_FURTHER_ADDRESS = {
    "label": ("libellé", "label"),
    "use": ("usage", "use"),
    "line1": ("adresse", "address"),
    "line2": ("adresse 2", "address 2"),
    "postal_code": ("code postal", "postal code"),
    "city": ("ville", "city"),
    "country_code": ("pays", "country"),
}


def _further_columns(contacts: int, addresses: int) -> tuple[Column, ...]:
    numbered = (
        ("contacts", contacts, "Interlocuteur", "contact", _CONTACT),
        ("addresses", addresses, "Adresse supplémentaire", "further address", _FURTHER_ADDRESS),
    )
    return tuple(
        Column(
            field=f"{held}/{rank}/{name}",
            title=f"{french} {rank + 1} : {title}",
            aliases=(f"{english} {rank + 1} {alias}",),
        )
        for held, count, french, english, names in numbered
        for rank in range(count)
        for name, (title, alias) in names.items()
    )


_OWN_COLUMNS = (
    Column(field="name", title="Nom", aliases=("raison sociale", "client", "company"), required=True),
    Column(field="kind", title="Type", required=True),
    Column(field="contact_name", title="Contact", aliases=("nom du contact", "contact name")),
    Column(field="email", title="E-mail", aliases=("email", "courriel", "mail")),
    Column(field="phone", title="Téléphone", aliases=("tel", "phone number")),
    Column(
        field="billing_address/line1", title="Adresse", aliases=("adresse 1", "address", "address line1"), required=True
    ),
    Column(
        field="billing_address/line2",
        title="Adresse 2",
        aliases=("complément d'adresse", "address 2", "address line2"),
    ),
    Column(
        field="billing_address/postal_code",
        title="Code postal",
        aliases=("CP", "postal code", "postcode", "zip"),
        required=True,
    ),
    Column(field="billing_address/city", title="Ville", aliases=("city",), required=True),
    Column(field="billing_address/country_code", title="Pays", aliases=("country", "country code")),
    Column(field="delivery_address/line1", title="Livraison : adresse", aliases=("delivery address",)),
    Column(field="delivery_address/line2", title="Livraison : adresse 2", aliases=("delivery address 2",)),
    Column(field="delivery_address/postal_code", title="Livraison : code postal", aliases=("delivery postal code",)),
    Column(field="delivery_address/city", title="Livraison : ville", aliases=("delivery city",)),
    Column(field="delivery_address/country_code", title="Livraison : pays", aliases=("delivery country",)),
    Column(field="siren", title="SIREN"),
    Column(field="siret", title="SIRET"),
    Column(
        field="vat_number",
        title="Numéro de TVA",
        aliases=("TVA", "N° TVA", "TVA intracommunautaire", "numéro de TVA intracommunautaire", "VAT"),
    ),
    Column(
        field="payment_terms_days",
        title="Délai de paiement (jours)",
        aliases=("délai de paiement", "payment terms", "payment terms (days)"),
    ),
    Column(field="language", title="Langue"),
    Column(field="notes", title="Notes", aliases=("commentaire", "comments")),
)
CUSTOMER_COLUMNS = (*_OWN_COLUMNS, *_further_columns(MAX_FURTHER, MAX_FURTHER))


CustomerRow = CsvRow[CustomerDescription]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeRow:
    """A line that may be a customer that exists, or that stands in the file already at ``other_line``."""

    line: int
    likenesses: tuple[Likeness, ...]
    other_line: int | None = None
    customer_id: str | None = None
    name: str


CustomerImport = ImportReport[AlikeRow]


def customer_columns(described: Sequence[CustomerDescription]) -> tuple[Column, ...]:
    """Those that these customers need: the last contact and further address of the one that has most ends them."""
    contacts = max((len(one.contacts) for one in described), default=0)
    addresses = max((len(one.addresses) for one in described), default=0)
    return (*_OWN_COLUMNS, *_further_columns(contacts, addresses))


def customer_cells(description: CustomerDescription) -> dict[str, str]:
    """What the columns hold of a customer; its terms beyond days stay out."""
    days = description.payment_terms_days
    return {
        "name": description.name,
        "kind": KINDS[description.kind],
        "contact_name": description.contact_name,
        "email": description.email or "",
        "phone": description.phone,
        **_address_cells("billing_address", description.billing_address),
        **_address_cells("delivery_address", description.delivery_address),
        "siren": description.siren or "",
        "siret": description.siret or "",
        "vat_number": description.vat_number or "",
        "payment_terms_days": "" if days is None else str(days),
        "language": description.language.value,
        "notes": description.notes,
        **_contact_cells(description),
        **_further_cells(description),
    }


def alike_in_file(rows: Sequence[CustomerRow]) -> tuple[AlikeRow, ...]:
    """Each line that is like an earlier one, once for each such line."""
    first: dict[LikenessKey, CustomerRow] = {}
    found = []
    for row in rows:
        if row.description is None:
            continue
        shared: dict[int, list[Likeness]] = {}
        for key in likeness_keys(row.description):
            shared.setdefault(first.setdefault(key, row).line, []).append(key.likeness)
        names = {other.line: other.description.name for other in first.values() if other.description}
        found += [
            AlikeRow(line=row.line, likenesses=tuple(likenesses), other_line=line, name=names[line])
            for line, likenesses in shared.items()
            if line != row.line
        ]
    return tuple(found)


def _contact_cells(description: CustomerDescription) -> dict[str, str]:
    cells: dict[str, str] = {}
    for rank, contact in enumerate(description.contacts):
        at = f"contacts/{rank}"
        cells |= {f"{at}/{name}": getattr(contact, name) or "" for name in ("name", "role", "email", "phone")}
        receives = ("receives_invoices", "receives_reminders")
        cells |= {f"{at}/{name}": YES if getattr(contact, name) else NO for name in receives}
    return cells


def _further_cells(description: CustomerDescription) -> dict[str, str]:
    cells: dict[str, str] = {}
    for rank, further in enumerate(description.addresses):
        at = f"addresses/{rank}"
        cells |= {f"{at}/label": further.label, f"{at}/use": USES[further.use]}
        cells |= _address_cells(at, further.address)
    return cells


def _address_cells(at: str, address: Address | None) -> dict[str, str]:
    if address is None:
        return {}
    names = ("line1", "line2", "postal_code", "city", "country_code")
    return {f"{at}/{name}": getattr(address, name) for name in names}
