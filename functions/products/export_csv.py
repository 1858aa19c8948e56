"""GET /v1/products/export — products as a CSV file."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.csv_files import documented_csv, respond_csv
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.product_csv import export_product_csv

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/products/export",
    operation_id="exportProductCsv",
    tags=["products"],
    description="By name, with the columns that the import takes: semicolons, UTF-8 with a byte order mark, French "
    "titles, decimal commas, no cell that a spreadsheet would run. Each page is a file by itself, which the import "
    "reads back as it was.",
    responses=documented_csv("A page of products, with its titles"),
)
def export_csv(
    *,
    archived: Annotated[bool, Query(description="true: only archived products")] = False,
    limit: Limit = 100,
    page_token: PageToken = None,
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, archived=archived)
    page = export_product_csv(member, book.request(limit, page_token), archived=archived, products=table.products())
    return respond_csv(page.text, "produits.csv", next_page=book.token(page.position))


handler = entry_point(app)
