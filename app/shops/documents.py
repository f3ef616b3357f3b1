"""What we ask of a shop when it is installed, and for its pages: of its plan, of an order that is named."""

from __future__ import annotations

DESCRIBE_SHOP = """
query DescribeShop {
  shop { name currencyCode ianaTimezone taxesIncluded plan { partnerDevelopment } }
}
"""

LATEST_TAXES = """
query LatestTaxes {
  orders(first: 50, sortKey: CREATED_AT, reverse: true) {
    nodes { taxesIncluded totalPriceSet { shopMoney { amount } } totalTaxSet { shopMoney { amount } } }
  }
}
"""

READ_VERSIONS = """
query ReadVersions {
  publicApiVersions { handle supported }
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

READ_PLAN = """
query ReadPlan {
  currentAppInstallation {
    app { handle }
    activeSubscriptions { name status test currentPeriodEnd }
  }
}
"""

ORDERS_NAMED = """
query OrdersNamed($query: String!) {
  orders(first: 5, query: $query) { nodes { id } }
}
"""
