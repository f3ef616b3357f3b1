import {describe, expect, test} from 'vitest';
import {parseAnswer} from '../src/answer.ts';
import {answer, upsell, wireUpsell} from './offers.ts';

describe('reading an answer', () => {
  test('a whole offer is read, its ids as GIDs and its price as a number', () => {
    expect(parseAnswer(answer())).toEqual({offers: [upsell()]});
  });

  test.each([
    ['nothing', null],
    ['a list', []],
    ['a string', '<html>'],
    ['no decision', {offers: []}],
    ['offers that are no list', {decision_id: 'd1', offers: {}}],
  ])('%s is no answer', (_, body) => {
    expect(parseAnswer(body)).toBeNull();
  });

  test('an answer with no offers is an answer', () => {
    expect(parseAnswer(answer({offers: []}))).toEqual({offers: []});
  });

  test.each([
    [61, 61],
    ['5', 5],
    [0, undefined],
    [-1, undefined],
    ['soon', undefined],
    [null, undefined],
  ])('asked to come again after %o, it is after %o seconds', (again_s, expected) => {
    expect(parseAnswer(answer({again_s}))?.again_s).toBe(expected);
  });

  test('a broken offer is left out and the others stay', () => {
    const offers = [null, 'x', {kind: 'upsell'}, {offer_id: 'o2'}, wireUpsell()];
    expect(parseAnswer(answer({offers}))).toEqual({offers: [upsell()]});
  });

  test.each([
    ['no title', {title: ' '}],
    ['a price that is no number', {price: 'free'}],
    ['a negative price', {price: '-1'}],
    ['an empty price', {price: ''}],
    ['another kind of id', {variant_id: 'gid://shopify/Product/70'}],
    ['a garbage id', {product_id: 'seven'}],
  ])('a product with %s is no product', (_, broken) => {
    const offers = [wireUpsell({product: {...wireUpsell().product, ...broken}})];
    expect(parseAnswer(answer({offers}))?.offers[0]?.product).toBeUndefined();
  });

  test('ids may be GIDs, digits or numbers', () => {
    const product = {...wireUpsell().product, product_id: 7, variant_id: 'gid://shopify/ProductVariant/70'};
    expect(parseAnswer(answer({offers: [wireUpsell({product})]}))).toEqual({offers: [upsell()]});
  });

  test('an image that is no web address is left out', () => {
    const product = {...wireUpsell().product, image: 'javascript:alert(1)'};
    expect(parseAnswer(answer({offers: [wireUpsell({product})]}))?.offers[0]?.product?.image).toBeUndefined();
  });
});
