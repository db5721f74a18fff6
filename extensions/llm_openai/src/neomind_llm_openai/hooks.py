"""What llm_openai contributes."""
