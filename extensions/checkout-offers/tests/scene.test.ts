import {createCartLine} from '@shopify/ui-extensions-tester/checkout';
import {expect, test} from 'vitest';
import {cartTitles} from '../src/scene.ts';

const line = (title: string, ...options: string[]) => {
  const selectedOptions = options.map((value) => ({name: 'Size', value}));
  return createCartLine({merchandise: {...createCartLine().merchandise, title, selectedOptions}});
};

test('a product is called by its title', () => {
  expect(cartTitles([line('Milk', 'Small')])).toEqual({'gid://shopify/Product/1': 'Milk'});
});

test.each([[['Small']], [['Red', 'Large']], [['Default Title']]])('a line that is titled by its variant %o has no name', (options) => {
  expect(cartTitles([line(options.join(' / '), ...options)])).toEqual({});
});
