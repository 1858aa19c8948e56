"""The company's subscription to ZenBilling itself."""
