"""Facts from Shopify."""
