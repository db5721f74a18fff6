"""What llm_ollama contributes."""
