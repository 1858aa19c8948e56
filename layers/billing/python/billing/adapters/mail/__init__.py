"""Mail through SES or an SMTP relay; both send the same bytes."""
