import {afterEach, describe, expect, test, vi} from 'vitest';
import {PriceList, PRICES_MS, readPrices, type Query} from '../src/prices.ts';

const [OATS, TEA, MILK] = ['70', '60', '1'].map((number) => `gid://shopify/ProductVariant/${number}`) as [string, string, string];
const node = (id: string, amount = '17.1', currencyCode = 'CAD', availableForSale = true) => ({id, availableForSale, price: {amount, currencyCode}});
const told = (data: unknown, variants = [OATS, TEA]) => Object.fromEntries(readPrices({data}, variants));

afterEach(() => void vi.useRealTimers());

describe('what an answer says', () => {
  test('an amount and its currency', () => {
    expect(told({nodes: [node(OATS), node(TEA, '1000.0', 'JPY')]})).toEqual({
      [OATS]: {amount: 17.1, currency: 'CAD'},
      [TEA]: {amount: 1000, currency: 'JPY'},
    });
  });

  test.each([
    ['KG', 1, '\u2068kg\u2069'],
    ['ML', 100, '\u2068100\u00a0ml\u2069'],
    ['M2', 1, '\u2068m²\u2069'],
    ['FLOZ', 1, '\u2068fl\u00a0oz\u2069'],
    ['ITEM', 1, undefined], // a word, which a measure's symbol is not
    ['UNKNOWN', 1, undefined],
    ['KG', 0, undefined],
  ])('beside a price what a measure costs: by %s, %d of it, is per %s', (referenceUnit, referenceValue, per) => {
    const measured = {unitPrice: {amount: '34.2', currencyCode: 'CAD'}, unitPriceMeasurement: {referenceUnit, referenceValue}};
    const unit = per && {unit: {amount: 34.2, per}};
    expect(told({nodes: [{...node(OATS), ...measured}]}, [OATS])).toEqual({[OATS]: {amount: 17.1, currency: 'CAD', ...unit}});
    const elsewhere = {...measured, unitPrice: {amount: '34.2', currencyCode: 'USD'}};
    expect(told({nodes: [{...node(OATS), ...elsewhere}]}, [OATS])).toEqual({[OATS]: {amount: 17.1, currency: 'CAD'}});
  });

  test('what the market has not, or not any more, is not sold', () => {
    expect(told({nodes: [null, node(TEA, '4.0', 'CAD', false), node(MILK)]})).toEqual({[OATS]: null, [TEA]: null});
  });

  test('an API that does not even see what is in the cart says nothing of what is sold', () => {
    expect(told({nodes: [null, null, null]})).toEqual({});
  });

  test('what is missing beside an error may be sold all the same', () => {
    const answer = {data: {nodes: [null, node(TEA)]}, errors: [{message: 'Access denied', path: ['nodes', 0, 'price']}]};
    expect([...readPrices(answer, [OATS, TEA]).keys()]).toEqual([TEA]);
  });

  test.each([
    ['no data', undefined],
    ['no nodes', {}],
    ['nodes that are none', {nodes: 'all'}],
    ['empty nodes', {nodes: []}],
  ])('%s is nothing', (_, data) => {
    expect(told(data)).toEqual({});
  });

  test('a price that is none leaves the variant unknown', () => {
    expect(told({nodes: [{id: OATS, availableForSale: true}, node(TEA, 'many')]})).toEqual({});
  });
});

describe('a list of prices', () => {
  test('a variant is asked for once, in the market, with one of the cart along', async () => {
    const query = vi.fn<Query>(async () => ({data: {nodes: [node(OATS), node(TEA), node(MILK)]}}));
    const list = new PriceList(query, 'CA');
    await Promise.all([list.ask([OATS], MILK), list.ask([OATS, TEA], MILK)]);
    await list.ask([TEA, OATS], MILK);
    expect(query.mock.calls.map(([, options]) => options.variables)).toEqual([
      {ids: [OATS, MILK], country: 'CA'},
      {ids: [TEA, MILK], country: 'CA'},
    ]);
    expect([...list.prices.keys()]).toEqual([OATS, TEA]);
  });

  test.each<[string, Query]>([
    ['refused', async () => ({errors: [{message: 'Access denied'}]})],
    ['cut off', async () => Promise.reject(new Error('offline'))],
    ['not there', () => { throw new TypeError('query is not a function'); }],
  ])('a query that is %s is asked again with the next wish, and says nothing', async (_, fails) => {
    const query = vi.fn<Query>(fails);
    const list = new PriceList(query, 'CA');
    await list.ask([OATS]);
    await list.ask([OATS]);
    expect(query).toHaveBeenCalledTimes(2);
    expect(list.lacks([OATS])).toBe(true);
  });

  test('one that comes too late is left', async () => {
    vi.useFakeTimers();
    const query = () => new Promise<{data: unknown}>((done) => setTimeout(done, PRICES_MS + 1, {data: {nodes: [node(OATS)]}}));
    const list = new PriceList(query, 'CA');
    const asked = list.ask([OATS]);
    await vi.advanceTimersByTimeAsync(PRICES_MS);
    await asked;
    await vi.advanceTimersByTimeAsync(1);
    expect(list.prices.size).toBe(0);
  });
});
