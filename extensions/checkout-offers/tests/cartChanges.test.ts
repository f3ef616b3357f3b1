import {createCartLine} from '@shopify/ui-extensions-tester/checkout';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import type {CartApi} from '../src/host.ts';
import {accept, carry, undo} from '../src/cartChanges.ts';
import {coupon, upsell} from './offers.ts';

type Result = {type: 'success'} | {type: 'error'; message: string};
const SUCCESS: Result = {type: 'success'};
const error = (message: string): Result => ({type: 'error', message});

/** A cart API whose changes answer with these results in turn, and which remembers what it was asked. */
function createTill(...results: (Result | Error)[]) {
  const changes: unknown[] = [];
  const change = async (asked: unknown) => {
    changes.push(asked);
    const result = results.shift() ?? SUCCESS;
    if (result instanceof Error) throw result;
    return result;
  };
  return {changes, cartApi: {applyAttributeChange: change, applyCartLinesChange: change, applyDiscountCodeChange: change} as unknown as CartApi};
}

async function finish<T>(work: Promise<T>): Promise<T> {
  await vi.runAllTimersAsync();
  return work;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ADD = {
  type: 'addCartLine',
  merchandiseId: 'gid://shopify/ProductVariant/70',
  quantity: 1,
  attributes: [{key: '_tillwise_decision', value: 'd1'}, {key: '_tillwise_offer', value: 'o1'}],
};

test('an accepted offer becomes a line that remembers the decision', async () => {
  const {cartApi, changes} = createTill();
  expect(await finish(accept(cartApi, upsell(), true))).toBe('added');
  expect(changes).toEqual([ADD]);
});

test('a failure is tried once more', async () => {
  const {cartApi, changes} = createTill(error('Conflict'), SUCCESS);
  expect(await finish(accept(cartApi, upsell(), true))).toBe('added');
  expect(changes).toEqual([ADD, ADD]);
});

test('a second failure is a failure, thrown or told', async () => {
  const {cartApi, changes} = createTill(new Error('The host went away'), error('Conflict'));
  expect(await finish(accept(cartApi, upsell(), true))).toBe('failed');
  expect(changes).toHaveLength(2);
});

test.each([
  ['The product is sold out', 'sold_out'],
  ['Ground Coffee is not available in this market.', 'unavailable'],
])('what the shop refuses is not tried again: %s', async (message, phase) => {
  const {cartApi, changes} = createTill(error(message));
  expect(await finish(accept(cartApi, upsell(), true))).toBe(phase);
  expect(changes).toHaveLength(1);
});

test('line changes wait for each other', async () => {
  const {cartApi, changes} = createTill(error('Conflict'), SUCCESS, SUCCESS);
  const other = upsell({offer_id: 'o2'});
  const both = Promise.all([accept(cartApi, upsell(), true), accept(cartApi, other, true)]);
  expect(await finish(both)).toEqual(['added', 'added']);
  const offers = (changes as typeof ADD[]).map(({attributes}) => attributes[1]?.value);
  expect(offers).toEqual(['o1', 'o1', 'o2']);
});

test('a change that never ends is given up, not repeated, and the next one gets its turn', async () => {
  const stuck = {applyCartLinesChange: vi.fn(() => new Promise<never>(() => undefined))};
  const first = accept(stuck as unknown as CartApi, upsell({offer_id: 'o7'}), true);
  const second = accept(createTill().cartApi, upsell({offer_id: 'o2'}), true);
  expect(await finish(Promise.all([first, second]))).toEqual(['failed', 'added']);
  expect(stuck.applyCartLinesChange).toHaveBeenCalledTimes(1);
});

test('who tries again before the first try is answered waits for that, and gets one line', async () => {
  let answer = (_: Result) => {};
  const applyCartLinesChange = vi.fn(() => new Promise<Result>((resolve) => (answer = resolve)));
  const take = () => accept({applyCartLinesChange} as unknown as CartApi, upsell({offer_id: 'o8'}), true);
  expect(await finish(take())).toBe('failed');
  for (const changes of [1, 2]) {
    const again = take();
    await vi.advanceTimersByTimeAsync(1);
    answer(SUCCESS);
    expect(await finish(again)).toBe('added');
    expect(applyCartLinesChange).toHaveBeenCalledTimes(changes); // one more once it was answered
  }
});

test('a coupon is applied, or says that it could not be', async () => {
  expect(await finish(accept(createTill().cartApi, coupon(), true))).toBe('added');
  expect(await finish(accept(createTill(error('No'), error('No')).cartApi, coupon(), true))).toBe('failed');
  expect(await finish(accept(createTill().cartApi, coupon(), false))).toBe('failed');
});

test('undo takes out the line of that offer', async () => {
  const {cartApi, changes} = createTill();
  const lines = [
    createCartLine({id: 'gid://shopify/CartLine/1'}),
    createCartLine({id: 'gid://shopify/CartLine/2', attributes: [{key: '_tillwise_offer', value: 'o1'}]}),
  ];
  expect(await finish(undo(cartApi, upsell(), () => lines))).toBe('offer');
  expect(changes).toEqual([{type: 'removeCartLine', id: 'gid://shopify/CartLine/2', quantity: 1}]);
});

test('undo takes out all of a line that has become more meanwhile: what is said to be removed is', async () => {
  const {cartApi, changes} = createTill();
  const lines = [createCartLine({id: 'gid://shopify/CartLine/2', quantity: 3, attributes: [{key: '_tillwise_offer', value: 'o1'}]})];
  expect(await finish(undo(cartApi, upsell(), () => lines))).toBe('offer');
  expect(changes).toEqual([{type: 'removeCartLine', id: 'gid://shopify/CartLine/2', quantity: 3}]);
});

test('undo finds its line once it is its turn: Shopify may give lines new ids with each change', async () => {
  const ours = ['o1', 'o2'].map((value) => [{key: '_tillwise_offer', value}]);
  let lines = ours.map((attributes, at) => createCartLine({id: `gid://shopify/CartLine/${at}`, attributes}));
  const applyCartLinesChange = async ({id}: {id: string}) => {
    if (!lines.some((line) => line.id === id)) return error('The line does not exist');
    lines = lines.filter((line) => line.id !== id).map((line) => ({...line, id: `${line.id}0`}));
    return SUCCESS;
  };
  const cartApi = {applyCartLinesChange} as unknown as CartApi;
  const both = Promise.all(['o1', 'o2'].map((offer_id) => undo(cartApi, upsell({offer_id}), () => lines)));
  expect(await finish(both)).toEqual(['offer', 'offer']);
  expect(lines).toEqual([]);
});

test('an offer of no decision is marked with itself alone', async () => {
  const {cartApi, changes} = createTill();
  expect(await finish(accept(cartApi, upsell({decision_id: undefined}), true))).toBe('added');
  expect(changes).toEqual([{...ADD, attributes: [{key: '_tillwise_offer', value: 'o1'}]}]);
});

test('undo of a coupon takes its code off', async () => {
  const {cartApi, changes} = createTill();
  expect(await finish(undo(cartApi, coupon(), () => []))).toBe('offer');
  expect(changes).toEqual([{type: 'removeDiscountCode', code: 'TEN'}]);
});

test('undo of a line that is gone has nothing to do', async () => {
  const {cartApi, changes} = createTill();
  expect(await finish(undo(cartApi, upsell(), () => []))).toBe('offer');
  expect(changes).toEqual([]);
});

test('an undo that fails leaves the offer in the order, and says so', async () => {
  const {cartApi} = createTill(error('No'), error('No'));
  const lines = [createCartLine({attributes: [{key: '_tillwise_offer', value: 'o1'}]})];
  expect(await finish(undo(cartApi, upsell(), () => lines))).toBe('stuck');
});

test('a grant goes into the attribute that the discount function reads', async () => {
  const {cartApi, changes} = createTill();
  expect(await finish(carry(cartApi, '1.t.2026112507.c7.n.s'))).toBe(true);
  expect(changes).toEqual([{type: 'updateAttribute', key: '_tillwise_grant', value: '1.t.2026112507.c7.n.s'}]);
});

test('a cart that takes no grant, even the second time, carries none', async () => {
  const {cartApi} = createTill(error('No'), error('No'));
  expect(await finish(carry(cartApi, 'g'))).toBe(false);
});
