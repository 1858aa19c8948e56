"""CloudWatch's alarms without CloudWatch: the metric math and the states of the template's own definitions."""
