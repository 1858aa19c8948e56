"""How the API and what it depends on are doing; incidents, alerts and maintenance, for the operators alone."""
