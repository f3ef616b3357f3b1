"""What leaves for elsewhere: tags and metafields in Shopify, signed messages, an API for other systems."""
