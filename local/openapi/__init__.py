"""The API's two descriptions, written from the handlers: docs/openapi.json (published) and api.yaml (deployed)."""
