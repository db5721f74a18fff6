"""What data_push contributes."""
