"""GET /v1/customers/export — customers as a CSV file."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.csv_files import documented_csv, respond_csv
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.customer_csv import export_customer_csv

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/export",
    operation_id="exportCustomerCsv",
    tags=["customers"],
    description="By name, with the columns that the import takes: semicolons, UTF-8 with a byte order mark, French "
    "titles, no cell that a spreadsheet would run. Each page is a file by itself, which the import reads back as it "
    "was; each has as many columns of contacts and further addresses as its customers need. `payment_terms` has no "
    "column. Ask for fewer customers a page when a file exceeds the import's 1 MB.",
    responses=documented_csv("A page of customers, with its titles"),
)
def export_csv(limit: Limit = 100, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member)
    page = export_customer_csv(member, book.request(limit, page_token), customers=table.customers())
    return respond_csv(page.text, "clients.csv", next_page=book.token(page.position))


handler = entry_point(app)
