"""What agents contributes."""
