import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import {loadFixture, loadInputQuery, loadSchema, validateTestAssets} from '@shopify/shopify-function-test-helpers';
import {buildClientSchema, printSchema} from 'graphql';
import {afterAll, beforeAll, expect, test} from 'vitest';

const HERE = import.meta.dirname;
const FIXTURES = join(HERE, 'fixtures');
const SCHEMA = join(HERE, '../../../node_modules/@shopify/dev-mcp/dist/data/functions_discount_2026-07.json.gz');
const QUERIES: Record<string, string> = {lines: 'lines.graphql', delivery: 'delivery.graphql'};
const MOST_QUERY_BYTES = 3000;

const folder = mkdtempSync(join(tmpdir(), 'offer-discount-'));
let schema: Awaited<ReturnType<typeof loadSchema>>;

beforeAll(async () => {
  const packed = readFileSync(SCHEMA);
  const path = join(folder, 'schema.graphql');
  writeFileSync(path, printSchema(buildClientSchema(JSON.parse(gunzipSync(packed).toString()).data, {assumeValid: true})));
  schema = await loadSchema(path);
});

afterAll(() => rmSync(folder, {recursive: true}));

for (const name of readdirSync(FIXTURES)) {
  test(`${name} is a cart and an answer as Shopify's schema and the query have them`, async () => {
    const fixture = await loadFixture(join(FIXTURES, name));
    const inputQueryAST = await loadInputQuery(join(HERE, '../queries', QUERIES[String(fixture.export)]!));
    const found = await validateTestAssets({schema, fixture, inputQueryAST});
    expect(found).toMatchObject({inputQuery: {errors: []}, inputFixture: {errors: []}, outputFixture: {errors: []}});
    expect(found).not.toHaveProperty('error');
  });
}

test('the queries are as short as Shopify takes them', () => {
  for (const name of Object.values(QUERIES)) {
    const query = readFileSync(join(HERE, '../queries', name), 'utf8').replace(/#.*$/gm, '');
    expect(Buffer.byteLength(query)).toBeLessThanOrEqual(MOST_QUERY_BYTES);
  }
});
