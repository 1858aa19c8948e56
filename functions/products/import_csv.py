"""POST /v1/products/import — add the products of a CSV file."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import documented, respond
from billing.api.bodies import raw_body
from billing.api.csv_files import CSV_BODY
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.language import language_of
from billing.api.preconditions import IdempotencyKey, idempotent_upload
from billing.api.problems import install
from billing.api.product_csv import ProductImportResponse, product_import_answer, product_rows
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.product_csv import import_product_csv

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/products/import",
    operation_id="importProductCsv",
    tags=["products"],
    description="At most 1 MB and 300 rows, separated by semicolons or commas, in UTF-8 or Windows-1252 (send the "
    "latter as `application/octet-stream`). Titles are French or English, units a code or its French label. Nothing "
    "is imported when a row is wrong or its reference another product's; each row is imported once, however often "
    "the same request is repeated. What a crash interrupts is to be repeated within the hour.",
    openapi_extensions=CSV_BODY,
    responses=documented(200, ProductImportResponse, "What was imported, or would be"),
)
def import_csv(
    idempotency_key: IdempotencyKey,
    dry_run: Annotated[bool, Query(description="Only say what would be imported")] = False,
) -> Response[str]:
    content = raw_body(app.current_event.raw_event)
    language = language_of(app.current_event.raw_event)
    member = caller(app)
    once = idempotent_upload(app, idempotency_key, content, lambda report: product_import_answer(report, language))
    report = import_product_csv(
        member,
        product_rows(content),
        dry_run=dry_run,
        once=once,
        products=table.products(),
        clock=clock,
        ids=ids,
    )
    return respond(product_import_answer(report, language))


handler = entry_point(app)
