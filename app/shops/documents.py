"""What we ask of a shop when it is installed."""

from __future__ import annotations

DESCRIBE_SHOP = """
query DescribeShop {
  shop { name currencyCode ianaTimezone }
}
"""

FIND_WEB_PIXEL = """
query FindWebPixel {
  webPixel { id settings }
}
"""

CREATE_WEB_PIXEL = """
mutation CreateWebPixel($webPixel: WebPixelInput!) {
  webPixelCreate(webPixel: $webPixel) {
    webPixel { id }
    userErrors { code field message }
  }
}
"""

UPDATE_WEB_PIXEL = """
mutation UpdateWebPixel($id: ID!, $webPixel: WebPixelInput!) {
  webPixelUpdate(id: $id, webPixel: $webPixel) {
    webPixel { id }
    userErrors { code field message }
  }
}
"""
