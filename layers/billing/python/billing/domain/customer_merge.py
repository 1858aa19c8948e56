"""Merging duplicates: one customer goes on, the other becomes another name of it, for ever.

Documents keep the customer as they froze it, under the id they had; whoever names the duplicate's id from now on names
the customer that goes on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from billing.domain.customer_credit import CreditEntryKind, CreditMovement, CustomerCredit
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.parties import (
    MAX_CONTACTS,
    MAX_FURTHER_ADDRESSES,
    MAX_NOTES,
    Contact,
    Customer,
    CustomerDescription,
)
from billing.domain.reminders import ReminderPause

MAX_MERGED = 5  # every list of a customer asks once for each


def refuse_unmergeable(survivor: Customer, duplicate: Customer) -> None:
    """Raises: CustomerMerged, FieldErrors."""
    survivor.require_current()
    duplicate.require_current("/duplicate_id")
    why = _two_customers(survivor.description, duplicate.description)
    if survivor.customer_id == duplicate.customer_id:
        why = ("Un client ne fusionne pas avec lui-même.", "A customer does not merge with itself.")
    elif len(survivor.merged_ids) + len(duplicate.ids) > MAX_MERGED:
        why = (
            f"Au plus {MAX_MERGED} clients peuvent être fusionnés en un seul.",
            f"At most {MAX_MERGED} customers can be merged into one.",
        )
    if why:
        raise FieldErrors((FieldError("/duplicate_id", *why),))


def _two_customers(kept: CustomerDescription, gone: CustomerDescription) -> tuple[str, str] | None:
    """Why two descriptions cannot be of one customer, or would not fit into one; None when they do."""
    if kept.kind is not gone.kind:
        return (
            "Un particulier et un professionnel ne fusionnent pas : corrigez d'abord la fiche qui est fausse.",
            "An individual and a business do not merge: correct the wrong one first.",
        )
    named = ((_siren(kept), _siren(gone), "SIREN"), (kept.siret, gone.siret, "SIRET"))
    for mine, theirs, name in (*named, (kept.vat_number, gone.vat_number, "TVA / VAT")):
        if mine is not None and theirs is not None and mine != theirs:
            return (
                f"Ces clients ont des numéros différents ({name}) : corrigez d'abord celui qui est faux.",
                f"These customers have different numbers ({name}): correct the wrong one first.",
            )
    joined = completed(kept, gone)
    if (
        len(joined.contacts) > MAX_CONTACTS
        or len(joined.addresses) > MAX_FURTHER_ADDRESSES
        or len(joined.notes) > MAX_NOTES
    ):
        return (
            f"Trop de contacts, d'adresses ({MAX_CONTACTS} au plus) ou de notes ensemble : faites d'abord de la place.",
            f"Too many contacts, addresses ({MAX_CONTACTS} at most) or notes together: make room first.",
        )
    return None


def _siren(description: CustomerDescription) -> str | None:
    """Of a company, which a French VAT number says too."""
    vat_number = description.vat_number or ""
    return description.siren or (vat_number[4:] if vat_number.startswith("FR") else None)


def merged(survivor: Customer, duplicate: Customer, *, at: datetime) -> tuple[Customer, Customer]:
    """Both as they become: the one that goes on, with what it lacked; the other, which says where it went.

    Raises: CustomerMerged, FieldErrors.
    """
    refuse_unmergeable(survivor, duplicate)
    kept = replace(
        survivor,
        version=survivor.version + 1,
        description=completed(survivor.description, duplicate.description),
        merged_ids=(*survivor.merged_ids, *duplicate.ids),
        updated_at=at,
    )
    return kept, moved_to(duplicate, survivor.customer_id, at=at)


def moved_to(duplicate: Customer, survivor_id: str, *, at: datetime) -> Customer:
    """A duplicate, or one that had become it, under its new name."""
    return replace(duplicate, version=duplicate.version + 1, merged_into=survivor_id, merged_ids=(), updated_at=at)


def completed(kept: CustomerDescription, gone: CustomerDescription) -> CustomerDescription:
    """What stands in the first stays; what it lacks comes from the second, but for what silence decides: terms of
    payment, a delivery elsewhere. Mail goes on to where it went."""
    return replace(
        kept,
        contact_name=kept.contact_name or gone.contact_name,
        email=kept.email or gone.email,
        phone=kept.phone or gone.phone,
        siren=kept.siren or gone.siren,
        siret=kept.siret or gone.siret,
        vat_number=kept.vat_number or gone.vat_number,
        notes="\n".join(filter(None, dict.fromkeys((kept.notes, gone.notes)))).strip(),
        contacts=_contacts(kept, gone),
        addresses=tuple(dict.fromkeys((*kept.addresses, *gone.addresses))),
    )


def _contacts(kept: CustomerDescription, gone: CustomerDescription) -> tuple[Contact, ...]:
    known = {(one.name, one.email) for one in kept.contacts}
    joined = (
        replace(
            one,
            receives_invoices=one.receives_invoices and kept.invoice_email is None,
            receives_reminders=one.receives_reminders and kept.reminder_email is None,
        )
        for one in gone.contacts
        if (one.name, one.email) not in known
    )
    return (*kept.contacts, *joined)


def merged_credits(
    kept: CustomerCredit, gone: CustomerCredit, *, entry_ids: tuple[str, str], on: date, at: datetime, by: str
) -> tuple[CreditMovement, ...]:
    """The duplicate's credit is closed, even an empty one, so that nothing moves on it any more; the other has it.

    So are the promises of it.

    ``entry_ids`` of what goes out and of what comes in.
    """
    amount_minor = gone.balance_minor
    closed, out = gone.moved(
        CreditEntryKind.MERGED_OUT, amount_minor, entry_id=entry_ids[0], source_id=kept.customer_id, on=on, at=at, by=by
    )
    moves = (CreditMovement(credit=replace(closed, promised=()), entry=out),)
    if not amount_minor and not gone.promised:
        return moves
    fuller, into = replace(kept, promised=(*kept.promised, *gone.promised)).moved(
        CreditEntryKind.MERGED_IN, amount_minor, entry_id=entry_ids[1], source_id=gone.customer_id, on=on, at=at, by=by
    )
    return (*moves, CreditMovement(credit=fuller, entry=into))


def merged_pause(kept: ReminderPause, gone: ReminderPause, *, today: date, at: datetime) -> ReminderPause | None:
    """The longer of both pauses, when it is not already the one that is kept."""
    if not gone.stands(today):
        return None
    if kept.stands(today) and (kept.until is None or (gone.until is not None and gone.until <= kept.until)):
        return None
    return replace(gone, customer_id=kept.customer_id, version=kept.version + 1, updated_at=at)
