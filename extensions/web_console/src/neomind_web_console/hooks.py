"""What web_console contributes."""
