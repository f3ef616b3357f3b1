"""What we ask of a shop to make codes, to know them, and to take them back."""

from __future__ import annotations

ADD_AT_ONCE = 250  # discountRedeemCodeBulkAdd takes no more
DELETE_AT_ONCE = 250
ASK_AT_ONCE = 250

CREATE_BASIC = """
mutation CreateCoupons($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { code field message }
  }
}
"""

CREATE_FREE_SHIPPING = """
mutation CreateShippingCoupons($discount: DiscountCodeFreeShippingInput!) {
  discountCodeFreeShippingCreate(freeShippingCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { code field message }
  }
}
"""

RENEW_BASIC = """
mutation RenewCoupons($id: ID!, $endsAt: DateTime!) {
  discountCodeBasicUpdate(id: $id, basicCodeDiscount: { endsAt: $endsAt }) {
    userErrors { code field message }
  }
}
"""

RENEW_FREE_SHIPPING = """
mutation RenewShippingCoupons($id: ID!, $endsAt: DateTime!) {
  discountCodeFreeShippingUpdate(id: $id, freeShippingCodeDiscount: { endsAt: $endsAt }) {
    userErrors { code field message }
  }
}
"""

ADD_CODES = """
mutation AddCoupons($id: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) {
    bulkCreation {
      id
      done
      codes(first: 250) { nodes { code errors { message } } }
    }
    userErrors { code field message }
  }
}
"""

HOW_FAR = """
query HowFarAreCoupons($id: ID!) {
  discountRedeemCodeBulkCreation(id: $id) {
    done
    codes(first: 250) { nodes { code errors { message } } }
  }
}
"""

LIST_CODES = """
query ListCoupons($id: ID!, $after: String) {
  codeDiscountNode(id: $id) {
    codeDiscount {
      ... on DiscountCodeBasic {
        codes(first: 250, after: $after, reverse: true) {
          nodes { id code }
          pageInfo { hasNextPage endCursor }
        }
      }
      ... on DiscountCodeFreeShipping {
        codes(first: 250, after: $after, reverse: true) {
          nodes { id code }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
}
"""

STATUSES = """
query CouponStatuses($ids: [ID!]!) {
  nodes(ids: $ids) {
    id
    ... on DiscountCodeNode {
      codeDiscount {
        ... on DiscountCodeBasic { status }
        ... on DiscountCodeFreeShipping { status }
      }
    }
  }
}
"""

DELETE_CODES = """
mutation DeleteCoupons($id: ID!, $codes: [ID!]!) {
  discountCodeRedeemCodeBulkDelete(discountId: $id, ids: $codes) {
    job { id }
    userErrors { code field message }
  }
}
"""

DELETE_DISCOUNT = """
mutation DeleteCouponDiscount($id: ID!) {
  discountCodeDelete(id: $id) {
    deletedCodeDiscountId
    userErrors { code field message }
  }
}
"""

LIST_AUTOMATIC = """
query ListAutomaticDiscounts($key: String!, $after: String) {
  automaticDiscountNodes(first: 100, after: $after, query: "type:app") {
    nodes {
      id
      automaticDiscount { ... on DiscountAutomaticApp { status } }
      metafield(namespace: "$app", key: $key) { jsonValue }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CREATE_AUTOMATIC = """
mutation CreateAutomaticDiscount($discount: DiscountAutomaticAppInput!) {
  discountAutomaticAppCreate(automaticAppDiscount: $discount) {
    automaticAppDiscount { discountId }
    userErrors { code field message }
  }
}
"""

TELL_AUTOMATIC = """
mutation TellAutomaticDiscount($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    userErrors { code field message }
  }
}
"""

DELETE_AUTOMATIC = """
mutation DeleteAutomaticDiscount($id: ID!) {
  discountAutomaticDelete(id: $id) {
    deletedAutomaticDiscountId
    userErrors { code field message }
  }
}
"""
