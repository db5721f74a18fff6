"""What llm_anthropic contributes."""
