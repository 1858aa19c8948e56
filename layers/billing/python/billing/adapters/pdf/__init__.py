"""Documents drawn as PDF/A-3b on a ReportLab canvas."""
