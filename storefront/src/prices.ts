/** What the shopper's market asks for what is offered. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {isUnsold, PriceList, type Prices, type Query} from '../../extensions/checkout-offers/src/prices.ts';
import type {Cart} from './cart.ts';

/** Shopify's Storefront API, which tells of products without a token. */
const ADDRESS = '/api/2026-07/graphql.json';

const query: Query = async (text, {variables}) => {
  const answer = await fetch(ADDRESS, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query: text, variables}),
  });
  return (await answer.json()) as {data?: unknown; errors?: unknown};
};

const lists = new Map<string, PriceList>();

/** Return the offers as the country sells them: at its prices where they are the cart's currency, and not what it does not sell. */
export async function priced(offers: Offer[], country: string, {currency, lines}: Pick<Cart, 'currency' | 'lines'>): Promise<Offer[]> {
  const list = lists.get(country) ?? new PriceList(query, country);
  lists.set(country, list);
  const [first] = lines;
  await list.ask(
    offers.flatMap(({product}) => product?.variant_id ?? []),
    first && `gid://shopify/ProductVariant/${first.variant_id}`,
  );
  return offers.filter((offer) => !isUnsold(offer, list.prices)).map((offer) => at(offer, list.prices, currency));
}

function at(offer: Offer, prices: Prices, currency: string): Offer {
  const {product} = offer;
  const told = product && prices.get(product.variant_id);
  return told?.currency === currency ? {...offer, product: {...product!, price: told.amount, currency, unit: told.unit}} : offer;
}
