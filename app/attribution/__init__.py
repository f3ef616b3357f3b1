"""What offers earned: credit, KPIs and incremental revenue."""
