/// <reference types="vite/client" />
import {describe, expect, test} from 'vitest';
import {MESSAGES} from '../src/message.ts';
import {REASONS} from '../src/reason.ts';

type Tree = {[key: string]: string | Tree};

const FILES = import.meta.glob<Tree>('../locales/*.json', {eager: true, import: 'default'});
const SOURCES = import.meta.glob<string>('../src/**/*.{ts,tsx}', {eager: true, query: '?raw', import: 'default'});
const TOML = Object.values(import.meta.glob<string>('../*.toml', {eager: true, query: '?raw', import: 'default'})).join();
const LOCALES = Object.keys(FILES).map((path) => path.split('/').pop()!);

function flatten(tree: Tree, prefix = ''): Record<string, string> {
  return Object.assign({}, ...Object.entries(tree).map(([key, value]) =>
    typeof value === 'string' ? {[prefix + key]: value} : flatten(value, `${prefix}${key}.`)));
}

const read = (name: string) => flatten(FILES[`../locales/${name}`] ?? {});
const gaps = (sentence: string) => (sentence.match(/{{\w+}}/g) ?? []).sort();
const english = read('en.default.json');

test('there are six languages', () => {
  expect(LOCALES.sort()).toEqual(['ar.json', 'de.json', 'en.default.json', 'es.json', 'fr.json', 'ja.json']);
});

describe.each(LOCALES)('%s', (name) => {
  test('says everything that English says, with the same gaps', () => {
    const locale = read(name);
    expect(Object.keys(locale)).toEqual(Object.keys(english));
    for (const [key, sentence] of Object.entries(english)) expect([key, gaps(locale[key] ?? '')]).toEqual([key, gaps(sentence)]);
  });

  // Who speaks to their computer says what they read on the button.
  test.each(['add', 'retry', 'retry_code', 'undo', 'apply', 'remove', 'buy', 'dismiss'])('the name of the button %s has its words in it', (verb) => {
    const locale = read(name);
    const words = locale[`button.${verb.replace('_code', '')}`]!;
    expect(locale[`button.${verb}_label`]!.toLowerCase()).toContain(words.toLowerCase());
  });
});

test('every key in the source can be said, and every sentence is used', () => {
  const source = Object.values(SOURCES).join('\n');
  const verbs = ['add', 'retry', 'undo'].flatMap((verb) => [`button.${verb}`, `button.${verb}_label`]);
  const coupons = ['apply', 'remove'].flatMap((verb) => [`button.${verb}`, `button.${verb}_label`]);
  const savings = ['order', 'shipping'].map((what) => `coupon.save_${what}`);
  const messages = [...MESSAGES.keys()].map((key) => `message.${key}`);
  const reasons = [...REASONS].map((reason) => `reason.${reason}`);
  const named = [...source.matchAll(/'((?:heading|privacy|reason|button|status|discount|coupon|bar|sample|skeleton)\.[a-z_]+)'/g)].map(([, key]) => key!);
  const inToml = [...TOML.matchAll(/"t:([a-z_.]+)"/g)].map(([, key]) => key!);
  expect([...new Set([...named, ...verbs, ...coupons, ...savings, ...messages, ...reasons, ...inToml])].sort()).toEqual(Object.keys(english).sort());
});
