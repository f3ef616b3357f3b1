import {expect, test} from 'vitest';
import {readSettings} from '../src/settings.ts';

test('what the merchant left empty has a default', () => {
  const defaults = {
    heading: undefined, max_offers: 1, show_products: true, show_messages: true, show_reason: true, show_dismiss: true, ask_privacy: false,
  };
  expect(readSettings(undefined)).toEqual(defaults);
  expect(readSettings({})).toEqual(defaults);
  expect(readSettings({heading: '  ', max_offers: undefined, show_reason: undefined})).toEqual(defaults);
});

test('what the merchant chose is kept', () => {
  const chosen = {
    heading: 'Pssst', max_offers: 3, show_products: false, show_messages: false, show_reason: false, show_dismiss: false, ask_privacy: true,
  };
  expect(readSettings(chosen)).toEqual(chosen);
});

test.each([[true, true], [false, false], [undefined, false], ['true', false]])('asking for consent set to %o is %o', (ask_privacy, expected) => {
  expect(readSettings({ask_privacy}).ask_privacy).toBe(expected);
});

test.each([[0, 1], [-4, 1], [2.9, 2], [99, 3], ['2', 2], ['many', 1]])('%o offers are %i', (max_offers, expected) => {
  expect(readSettings({max_offers}).max_offers).toBe(expected);
});
