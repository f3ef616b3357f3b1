"""What it earned."""
