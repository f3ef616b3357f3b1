import {expect, test} from 'vitest';
import {decimal} from '../src/question.ts';

test.each([
  [12.5, 'USD', '12.50'],
  [300, 'JPY', '300'],
  [1.2346, 'KWD', '1.235'],
  [9.99 / 3, 'USD', '3.33'],
  [0, 'EUR', '0.00'],
])('%d %s is %s', (amount, currency, expected) => {
  expect(decimal(amount, currency)).toBe(expected);
});
