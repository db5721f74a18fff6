"""What compat contributes."""
