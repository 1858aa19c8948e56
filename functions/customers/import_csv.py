"""POST /v1/customers/import — add the customers of a CSV file."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import documented, respond
from billing.api.bodies import raw_body
from billing.api.csv_files import CSV_BODY
from billing.api.customer_csv import CustomerImportResponse, customer_import_answer, customer_rows
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.language import language_of
from billing.api.preconditions import IdempotencyKey, idempotent_upload
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.customer_csv import import_customer_csv

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers/import",
    operation_id="importCustomerCsv",
    tags=["customers"],
    description="At most 1 MB and 300 rows, separated by semicolons or commas, in UTF-8 or Windows-1252 (send the "
    "latter as `application/octet-stream`). Titles are French or English; up to 20 contacts (`Interlocuteur 1 : nom`) "
    "and 20 further addresses (`Adresse supplémentaire 1 : libellé`) have columns as an export names them. Nothing is "
    "imported when a row is wrong; each row is imported once, however often the same request is repeated.",
    openapi_extensions=CSV_BODY,
    responses=documented(200, CustomerImportResponse, "What was imported, or would be"),
)
def import_csv(
    idempotency_key: IdempotencyKey,
    dry_run: Annotated[bool, Query(description="Only say what would be imported")] = False,
) -> Response[str]:
    content = raw_body(app.current_event.raw_event)
    language = language_of(app.current_event.raw_event)
    member = caller(app)
    once = idempotent_upload(app, idempotency_key, content, lambda report: customer_import_answer(report, language))
    report = import_customer_csv(
        member,
        customer_rows(content),
        dry_run=dry_run,
        once=once,
        customers=table.customers(),
        clock=clock,
        ids=ids,
    )
    return respond(customer_import_answer(report, language))


handler = entry_point(app)
