"""Product illustrations: invented, drawn by code from a product's words."""
