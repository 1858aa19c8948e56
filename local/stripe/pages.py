"""The pages that Stripe would show to a person: to pay, and to open an account. In French, as the product's."""

from __future__ import annotations

from html import escape
from typing import Final

from local.stripe.bank import Bank
from local.stripe.errors import ApiError
from local.stripe.store import PLATFORM, Object
from local.stripe.subscriptions import Subscriptions

_PAGE: Final = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
*{{box-sizing:border-box}}
body{{font-family:system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;color:#1a1f36}}
small,.note{{color:#697386}} h1{{font-size:2.2rem;margin:.3rem 0 1.2rem}}
button{{display:block;width:100%;padding:.8rem;margin:.6rem 0;border:1px solid #c1c9d2;border-radius:.4rem;
background:#fff;font-size:1rem;cursor:pointer}} button.first{{background:#635bff;border-color:#635bff;color:#fff}}
.wrong{{background:#fdf0f0;border:1px solid #e5a9a9;border-radius:.4rem;padding:.6rem .8rem}}
</style></head><body>{body}<p class="note"><small>Stripe simulé sur cette machine : aucun argent ne circule.</small></p>
</body></html>"""
_INTERVALS: Final = {"day": "jour", "week": "semaine", "month": "mois", "year": "an"}
_METHODS: Final = {"card": "Payer par carte", "sepa_debit": "Prélèvement SEPA"}

Page = tuple[int, str]  # a status and the page, or the address that it leads to


def _page(title: str, body: str, status: int = 200) -> Page:
    return status, _PAGE.format(title=escape(title), body=body)


_UNKNOWN: Final = _page("Page inconnue", "<h1>Page inconnue</h1>", 404)

_STATES = {
    "active": "en cours",
    "trialing": "à l'essai",
    "past_due": "paiement en retard",
    "unpaid": "impayé",
    "incomplete": "en attente du premier paiement",
}


class Pages:
    def __init__(self, bank: Bank, subscriptions: Subscriptions) -> None:
        self._bank = bank
        self._subscriptions = subscriptions
        self._store = bank.store

    def show(self, path: list[str]) -> Page:
        match path:
            case ["c", "pay", session_id]:
                return self._checkout(session_id)
            case ["setup", "s", account, link]:
                return self._setup(account, link)
            case ["p", "session", portal_id]:
                return self._portal(portal_id)
            case _:
                return _UNKNOWN

    def act(self, path: list[str]) -> Page:
        """What a person presses."""
        match path:
            case ["c", "pay", session_id, action]:
                return self._pay(session_id, action)
            case ["setup", "s", account, link, action]:
                return self._set_up(account, link, action)
            case ["p", "session", portal_id, action]:
                return self._at_portal(portal_id, action)
            case _:
                return _UNKNOWN

    def _checkout(self, session_id: str, wrong: str = "") -> Page:
        session = self._store.anywhere("checkout.session", session_id)
        if session is None:
            return _UNKNOWN
        if session["status"] != "open" or session["expires_at"] <= self._bank.seconds():
            return _page("Lien fermé", "<h1>Lien fermé</h1><p>Cette page de paiement n'est plus active.</p>", 410)
        seller = self._store.get("", "account", self._store.owner("checkout.session", session_id) or "") or {}
        name = (seller.get("business_profile") or {}).get("name") or "ZenBilling"
        buttons = [
            f'<button class="first" formaction="/c/pay/{session_id}/{method}">{_METHODS[method]}</button>'
            for method in session["payment_method_types"]
            if method in _METHODS
        ]
        buttons += [
            f'<button formaction="/c/pay/{session_id}/decline">Carte refusée</button>',
            f'<button formaction="/c/pay/{session_id}/cancel">Annuler</button>',
        ]
        refused = f'<p class="wrong">{escape(wrong)}</p>' if wrong else ""
        price = self._store.get(PLATFORM, "price", session["_price"]) if session["mode"] == "subscription" else None
        terms = f"<p>{escape(_terms(session, price))}</p>" if price else ""
        body = (
            f"<small>{escape(name)}</small><p>{escape(session['_title'])}</p>"
            f"<h1>{_amount(session['amount_total'], session['currency'])}</h1>{terms}{refused}"
            f'<form method="post">{"".join(buttons)}</form>'
        )
        if "sepa_debit" in session["payment_method_types"]:
            body += '<p class="note">Un prélèvement SEPA est réglé sous cinq jours : make clock avance la date.</p>'
        return _page(f"Payer {name}", body, 402 if wrong else 200)

    def _pay(self, session_id: str, action: str) -> Page:
        session = self._store.anywhere("checkout.session", session_id)
        if session is None:
            return self._checkout(session_id)
        try:
            match action:
                case "card" | "sepa_debit":
                    self._bank.confirm(session_id, action)
                    return 303, session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id)
                case "decline":
                    self._bank.decline(session_id, "card_declined")
                    return self._checkout(session_id, "Votre carte a été refusée. Essayez avec une autre.")
                case "cancel" if session["cancel_url"]:
                    return 303, session["cancel_url"].replace("{CHECKOUT_SESSION_ID}", session_id)
        except ApiError:
            return self._checkout(session_id)
        return _UNKNOWN

    def _setup(self, account_id: str, token: str) -> Page:
        account, link = self._link(account_id, token)
        if account is None or link is None:
            return _UNKNOWN
        if link.get("used") or link["expires_at"] <= self._bank.seconds():
            return 303, str(link["refresh_url"])
        name = account["business_profile"]["name"] or "Votre entreprise"
        action = f"/setup/s/{account_id}/{token}"
        body = (
            f"<small>{escape(name)}</small><h1>Votre compte Stripe</h1>"
            "<p>Stripe demanderait ici qui vous êtes et où verser votre argent.</p>"
            f'<form method="post"><button class="first" formaction="{action}/finish">Terminer la configuration</button>'
            f'<button formaction="{action}/later">Plus tard</button></form>'
        )
        return _page("Votre compte Stripe", body)

    def _set_up(self, account_id: str, token: str, action: str) -> Page:
        """A link is for one use."""
        with self._store.writing():
            account, link = self._link(account_id, token)
            if account is None or link is None or action not in {"finish", "later"}:
                return _UNKNOWN
            if link.get("used") or link["expires_at"] <= self._bank.seconds():
                return 303, str(link["refresh_url"])
            account["_links"][token] = link | {"used": True}
            self._store.put("", account)
            if action == "finish":
                self._bank.enable(account_id)
            return 303, str(link["return_url"])

    def _portal(self, portal_id: str) -> Page:
        portal = self._store.get(PLATFORM, "billing_portal.session", portal_id)
        if portal is None:
            return _UNKNOWN
        found = self._subscription(portal)
        if found is None:
            said, buttons = "Aucun abonnement en cours.", []
        elif found["cancel_at_period_end"]:
            said, buttons = "Votre abonnement prend fin avec sa période.", [("resume", "Garder mon abonnement")]
        else:
            state = _STATES.get(str(found["status"]), str(found["status"]))
            said, buttons = f"Votre abonnement : {state}.", [("cancel", "Résilier à la fin de la période")]
        buttons += [("card", "Changer de carte"), ("leave", "Retour")]
        listed = "".join(
            f'<button formaction="/p/session/{portal_id}/{action}">{label}</button>' for action, label in buttons
        )
        body = f"<small>ZenBilling</small><h1>Votre abonnement</h1><p>{escape(said)}</p>"
        return _page("Votre abonnement", f'{body}<form method="post">{listed}</form>')

    def _at_portal(self, portal_id: str, action: str) -> Page:
        portal = self._store.get(PLATFORM, "billing_portal.session", portal_id)
        if portal is None:
            return _UNKNOWN
        found = self._subscription(portal)
        if action in {"cancel", "resume"} and found is not None:
            self._subscriptions.update(found["id"], cancel_at_period_end=action == "cancel", metadata=None)
        elif action == "card":
            self._subscriptions.card(portal["customer"], works=True)
        elif action == "leave":
            return 303, str(portal["return_url"])
        return self._portal(portal_id)

    def _subscription(self, portal: Object) -> Object | None:
        """The customer's, while it lives."""
        held = self._store.all_of(
            PLATFORM,
            "subscription",
            lambda one: one["customer"] == portal["customer"] and one["status"] != "canceled",
        )
        return held[0] if held else None

    def _link(self, account_id: str, token: str) -> tuple[Object | None, Object | None]:
        account = self._store.get("", "account", account_id)
        return account, (account or {}).get("_links", {}).get(token)


def _terms(session: Object, price: Object) -> str:
    """What a subscription costs, and from when: ``14 jours d'essai, puis 19,00 € HT par mois``."""
    days = int(session["_subscription"].get("trial_period_days", 0))
    without_tax = " HT" if price["tax_behavior"] == "exclusive" else ""
    count, interval = price["recurring"]["interval_count"], _INTERVALS[price["recurring"]["interval"]]
    every = f"par {interval}" if count == 1 else f"tous les {count} {interval.removesuffix('s')}s"
    cost = f"{_amount(price['unit_amount'] * session['_quantity'], price['currency'])}{without_tax} {every}"
    return f"{days} jour{'s' * (days > 1)} d'essai, puis {cost}" if days else cost


def _amount(amount: int, currency: str) -> str:
    units, hundredths = divmod(amount, 100)
    symbol = "€" if currency == "eur" else currency.upper()
    return f"{units:,}".replace(",", " ") + f",{hundredths:02d} {symbol}"
