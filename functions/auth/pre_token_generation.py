"""Cognito's pre-token trigger (version 2) — put the membership in the access token.

A sign-up cut between the account and its tenant is healed here: the tenant id follows from the user id.
"""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock
from billing.runtime.table import memberships
from billing.usecases.auth import found_tenant


def pre_token_generation(event: dict[str, Any]) -> dict[str, Any]:
    user_id = event["request"]["userAttributes"]["sub"]
    membership = found_tenant(user_id, memberships=memberships(), clock=clock)
    claims = {
        "tenant_id": membership.tenant_id,
        "role": membership.role.value,
        "membership_version": str(membership.version),
    }
    override = {"accessTokenGeneration": {"claimsToAddOrOverride": claims}}
    return {**event, "response": {"claimsAndScopeOverrideDetails": override}}


handler = task_point(pre_token_generation)
