"""What llm contributes."""
