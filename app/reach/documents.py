"""What we ask of a shop to write to a customer: their address at that moment, and Flow's trigger."""

from __future__ import annotations

WHO_LEFT = """
query WhoLeft($id: ID!) {
  customer(id: $id) {
    locale
    defaultAddress { countryCodeV2 }
    defaultEmailAddress { emailAddress marketingState marketingUpdatedAt validFormat }
    lastOrder { createdAt sourceName }
  }
  shop { name contactEmail shopAddress { formatted } }
}
"""

SHOP_TO_ALERT = """
query ShopToAlert {
  shop { name contactEmail }
}
"""

FLOW_TRIGGER = """
mutation TellFlow($handle: String, $payload: JSON) {
  flowTriggerReceive(handle: $handle, payload: $payload) {
    userErrors { field message }
  }
}
"""
