"""The local cloud: serves the functions, the table, the workflows and the mail of template.yaml on this machine."""
