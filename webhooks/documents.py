"""What we ask of a shop for its history: in bulk on install, one by one for what we missed."""

from __future__ import annotations

_PRODUCT = """
  id title handle vendor productType tags status publishedAt createdAt updatedAt
  requiresSellingPlan isGiftCard
  featuredMedia { preview { image { url } } }
"""
_VARIANT = "id title price position inventoryPolicy inventoryQuantity"
_LEVEL = 'id location { id } updatedAt quantities(names: ["available"]) { quantity }'
_CUSTOMER = """
  id createdAt updatedAt numberOfOrders dataSaleOptOut
  amountSpent { amount currencyCode }
  lastOrder { createdAt }
  defaultEmailAddress { marketingState }
  defaultPhoneNumber { marketingState }
"""
_ORDER = """
  id createdAt processedAt updatedAt cancelledAt test currencyCode displayFinancialStatus checkoutToken
  sourceName
  customer { id }
  subtotalPriceSet { shopMoney { amount } }
  totalDiscountsSet { shopMoney { amount } }
  totalPriceSet { shopMoney { amount } }
  totalTipReceivedSet { shopMoney { amount } }
  discountCodes
"""
# Of what was placed while we listened; what was before we came carries no grant. A shop runs 25 discounts
# without a code, and an order takes a few codes besides.
_GRANT = """
  customAttributes { key value }
  discountApplications(first: 50) {
    nodes { __typename targetType ... on AutomaticDiscountApplication { title } }
  }
"""
_LINE = """
  id quantity
  product { id }
  variant { id }
  originalUnitPriceSet { shopMoney { amount } }
  discountAllocations { allocatedAmountSet { shopMoney { amount } } }
  customAttributes { key value }
  isGiftCard
  lineItemGroup { id productId customAttributes { key value } }
"""

_REFUND = """
  id createdAt
  transactions(first: 20) { nodes { kind status amountSet { shopMoney { amount } } } }
  duties { amountSet { shopMoney { amount } } }
  refundLineItems(first: 100) {
    nodes {
      quantity lineItem { id isGiftCard vendor }
      subtotalSet { shopMoney { amount } }
      totalTaxSet { shopMoney { amount } }
    }
    pageInfo { hasNextPage }
  }
  refundShippingLines(first: 20) { nodes { subtotalAmountSet { shopMoney { amount } } } }
  orderAdjustments(first: 20) { nodes { amountSet { shopMoney { amount } } } }
"""

_COST = "updatedAt unitCost { amount currencyCode }"
_STOCK = f"inventoryItem {{ id tracked {_COST} inventoryLevels {{ edges {{ node {{ {_LEVEL} }} }} }} }}"
_VARIANTS = f"variants {{ edges {{ node {{ {_VARIANT} {_STOCK} }} }} }}"

BULK_PRODUCTS = f"{{ products {{ edges {{ node {{ {_PRODUCT} {_VARIANTS} }} }} }} }}"
BULK_COLLECTIONS = "{ collections { edges { node { id handle title products { edges { node { id } } } } } } }"
BULK_CUSTOMERS = f"{{ customers {{ edges {{ node {{ {_CUSTOMER} }} }} }} }}"
# No webhook tells of these, and they need not count as a change of the customer.
BULK_OPT_OUTS = "{ customers { edges { node { id updatedAt dataSaleOptOut statistics { rfmGroup } } } } }"
# With the earliest day in place of %s.
BULK_ORDER_IDS = "{ orders(query: \"created_at:>='%s'\") { edges { node { id } } } }"
_BEFORE = """
  refunds { id createdAt totalRefundedSet { shopMoney { amount } } }
  refundDiscrepancySet { shopMoney { amount } }
  totalRefundedShippingSet { shopMoney { amount } }
"""
_LINES = f"lineItems {{ edges {{ node {{ {_LINE} currentQuantity }} }} }}"
BULK_ORDERS = f"{{ orders {{ edges {{ node {{ {_ORDER} {_BEFORE} {_LINES} }} }} }} }}"

START_BULK = """
mutation StartBulkOperation($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status }
    userErrors { code field message }
  }
}
"""

BULK_STATUS = """
query BulkOperationStatus($id: ID!) {
  node(id: $id) {
    ... on BulkOperation { status errorCode objectCount rootObjectCount url }
  }
}
"""

CHANGED_PRODUCTS = """
query ChangedProducts($changed: String!, $after: String) {
  products(first: 250, after: $after, query: $changed, sortKey: UPDATED_AT) {
    nodes {
      id updatedAt status publishedAt totalInventory tracksInventory requiresSellingPlan isGiftCard
      variantsCount { count }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CHANGED_ITEMS = f"""
query ChangedItems($changed: String!, $after: String) {{
  inventoryItems(first: 250, after: $after, query: $changed) {{
    nodes {{ id {_COST} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""

PRICE_RANGES = """
query PriceRanges($ids: [ID!]!) {
  nodes(ids: $ids) {
    id
    ... on Product {
      variantsCount { count }
      priceRangeV2 { minVariantPrice { amount } maxVariantPrice { amount } }
    }
  }
}
"""

CHANGED_ORDERS = """
query ChangedOrders($changed: String!, $after: String) {
  orders(first: 250, after: $after, query: $changed, sortKey: UPDATED_AT) {
    nodes { id updatedAt refunds { id createdAt } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ONE_PRODUCT = f"""
query OneProduct($id: ID!, $after: String) {{
  product(id: $id) {{
    {_PRODUCT}
    variants(first: 250, after: $after) {{
      nodes {{ {_VARIANT} inventoryItem {{ id tracked }} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

ONE_ORDER = f"""
query OneOrder($id: ID!, $after: String) {{
  order(id: $id) {{
    {_ORDER}
    {_GRANT}
    lineItems(first: 80, after: $after) {{
      nodes {{ {_LINE} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

REFUNDS_OF_ORDER = f"""
query RefundsOfOrder($id: ID!) {{
  order(id: $id) {{ totalTipReceivedSet {{ shopMoney {{ amount }} }} refunds {{ {_REFUND} }} }}
}}
"""

STOCK_OF_PRODUCT = f"""
query StockOfProduct($id: ID!, $after: String) {{
  product(id: $id) {{
    variants(first: 10, after: $after) {{
      nodes {{
        inventoryItem {{
          id tracked
          inventoryLevels(first: 20) {{ nodes {{ {_LEVEL} }} pageInfo {{ hasNextPage }} }}
        }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

LOCATIONS = """
query Locations($after: String) {
  locations(first: 250, after: $after, includeInactive: true) {
    nodes { id isActive fulfillsOnlineOrders }
    pageInfo { hasNextPage endCursor }
  }
}
"""

WHICH_EXIST = """
query WhichExist($ids: [ID!]!) {
  nodes(ids: $ids) { id ... on Product { status publishedAt requiresSellingPlan isGiftCard } }
}
"""

CHANGED_CUSTOMERS = """
query ChangedCustomers($changed: String!, $after: String) {
  customers(first: 250, after: $after, query: $changed, sortKey: UPDATED_AT) {
    nodes {
      id updatedAt
      defaultEmailAddress { marketingState }
      defaultPhoneNumber { marketingState }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ONE_CUSTOMER = f"""
query OneCustomer($id: ID!) {{
  customer(id: $id) {{ {_CUSTOMER} }}
}}
"""
