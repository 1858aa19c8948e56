"""Game days: faults that are really made on a local cloud, and what their alarms, alerts and incidents then do."""
