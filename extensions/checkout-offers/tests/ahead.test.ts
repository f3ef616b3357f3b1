import {expect, test} from 'vitest';
import {paint} from '../src/ahead.ts';
import {readAhead, type Entries} from '../src/aheadForm.ts';
import file from './offers-ahead.cases.json';

interface Case {
  name: string;
  metafields: Entries;
  cart: number[];
  checkout_token: string | null;
  client_id?: string;
  customer: 'guest' | 'unknown' | number;
  consent: {analytics: boolean | null; preferences: boolean | null; marketing: boolean | null};
  painted: [product: number, reason?: [string, number?]][];
}

const cases = file.cases as unknown as Case[];
const customers = new Map<unknown, string | null | undefined>([['guest', null], ['unknown', undefined]]);
const numberOf = (gid = '') => Number(gid.split('/').pop());

test.each(cases.map((each) => [each.name, each] as const))('%s', (_, {metafields, cart, checkout_token, client_id, customer, consent, painted}) => {
  const ahead = readAhead(metafields);
  const buyer = {
    cart: cart.map((id) => `gid://shopify/Product/${id}`),
    checkout_token: checkout_token ?? undefined,
    client_id,
    customer: customers.has(customer) ? customers.get(customer) : String(customer),
    consent,
  };
  const offers = ahead ? paint(ahead, buyer) : [];
  const told = offers.map(({product, why: [first]}) => {
    const reason = first && (first.with ? [first.reason, numberOf(first.with)] : [first.reason]);
    return reason ? [numberOf(product?.product_id), reason] : [numberOf(product?.product_id)];
  });
  expect(told).toEqual(painted);
});

test('what is painted ahead is of no decision', () => {
  const {metafields} = cases.find(({painted}) => painted.length)!;
  expect(readAhead(metafields)?.offers[0]).toMatchObject({kind: 'upsell', offer_id: 'ahead-10'});
  expect(readAhead(metafields)?.offers[0]?.decision_id).toBeUndefined();
});
