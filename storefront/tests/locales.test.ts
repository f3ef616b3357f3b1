/// <reference types="vite/client" />
import {expect, test} from 'vitest';
import SNIPPET from '../../extensions/storefront-embed/snippets/tillwise-page.liquid?raw';

type Tree = {[key: string]: string | Tree};

const FOUND = import.meta.glob<Tree>('../../extensions/storefront-embed/locales/*.json', {eager: true, import: 'default'});
const TREES = Object.fromEntries(Object.entries(FOUND).map(([path, tree]) => [path.split('/').pop()!, tree]));
const FILES = Object.keys(TREES);

/** Return each text by its dotted key. */
function texts(file: string): Record<string, string> {
  const flat = (found: Tree, prefix: string): [string, string][] =>
    Object.entries(found).flatMap(([key, value]) => (typeof value === 'string' ? [[prefix + key, value]] : flat(value, `${prefix}${key}.`)));
  return Object.fromEntries(flat(TREES[file]!, ''));
}

function gaps(text: string): string[] {
  return [...text.matchAll(/\{\{ (\w+) \}\}/g)].map(([, name]) => name!).sort();
}

test('there are six languages, for shoppers and for merchants', () => {
  expect(FILES.map((file) => file.replace('.default', '').replace('.schema', '')).sort()).toEqual(
    ['ar', 'de', 'en', 'es', 'fr', 'ja'].flatMap((locale) => [`${locale}.json`, `${locale}.json`]),
  );
});

test.each(FILES.filter((file) => !file.includes('.default')))('%s says all that the default says, with the same gaps', (file) => {
  const own = texts(file);
  const standard = texts(file.includes('.schema') ? 'en.default.schema.json' : 'en.default.json');
  expect(Object.keys(own)).toEqual(Object.keys(standard));
  for (const [key, text] of Object.entries(standard)) expect(gaps(own[key]!), key).toEqual(gaps(text));
});

test('every word that the page hands to the scripts fills the gaps of its text', () => {
  const standard = texts('en.default.json');
  const handed = [...SNIPPET.matchAll(/"([\w.]+)": \{\{ '\1' \| t(.*?) \| json/g)];
  expect(handed.length).toBeGreaterThan(30);
  for (const [, key, args] of handed) {
    expect([...args!.matchAll(/(\w+): '\{\1\}'/g)].map(([, name]) => name).sort(), key).toEqual(gaps(standard[key!]!));
  }
});
