"""The catalogue: products, variants, stock and costs."""
