"""How likely a shopper is to buy, and whom a coupon changes."""
