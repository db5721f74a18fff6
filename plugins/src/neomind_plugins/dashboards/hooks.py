"""What dashboards contributes."""
