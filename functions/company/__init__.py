"""The company: its legal identity, its logo, its onboarding."""
