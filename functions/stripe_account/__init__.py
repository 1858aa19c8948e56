"""The company's account at Stripe."""
