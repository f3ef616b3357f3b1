import {createHash, createHmac} from 'node:crypto';
import {join} from 'node:path';
import {main} from 'assemblyscript/asc';
import {beforeAll, expect, test} from 'vitest';

const ASSEMBLY = join(import.meta.dirname, '../assembly');
const KEY = 4096;
const MESSAGE = 8192;
const DIGEST = 16384;

interface Exports {
  memory: WebAssembly.Memory;
  sha256(message: number, bytes: number, to: number): void;
  hmac(key: number, keyBytes: number, message: number, bytes: number, to: number): void;
}

let exported: Exports;

beforeAll(async () => {
  let wasm: Uint8Array | undefined;
  const {error} = await main(['sha256.ts', '--baseDir', ASSEMBLY, '--outFile', 'out.wasm', '--runtime', 'stub', '--use', 'abort=', '-O3'], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) wasm = contents as Uint8Array;
    },
  });
  if (error) throw error;
  const {instance} = await WebAssembly.instantiate(new Uint8Array(wasm!), {});
  exported = instance.exports as unknown as Exports;
}, 60_000);

function put(at: number, bytes: Uint8Array): void {
  new Uint8Array(exported.memory.buffer).set(bytes, at);
}

function told(): string {
  return Buffer.from(exported.memory.buffer, DIGEST, 32).toString('hex');
}

function digestOf(message: Uint8Array): string {
  put(MESSAGE, message);
  exported.sha256(MESSAGE, message.length, DIGEST);
  return told();
}

function sealOf(key: Uint8Array, message: Uint8Array): string {
  put(KEY, key);
  put(MESSAGE, message);
  exported.hmac(KEY, key.length, MESSAGE, message.length, DIGEST);
  return told();
}

// FIPS 180-4's own examples.
test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
])('SHA-256 of %j is the standard’s', (message, digest) => {
  expect(digestOf(Buffer.from(message))).toBe(digest);
});

// RFC 4231, test cases 1 to 4: the others have longer keys, or show less than all.
test.each([
  ['0b'.repeat(20), Buffer.from('Hi There').toString('hex'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [Buffer.from('Jefe').toString('hex'), Buffer.from('what do ya want for nothing?').toString('hex'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  ['0102030405060708090a0b0c0d0e0f10111213141516171819', 'cd'.repeat(50), '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b'],
])('HMAC of the RFC is the RFC’s: %s', (key, message, seal) => {
  expect(sealOf(Buffer.from(key, 'hex'), Buffer.from(message, 'hex'))).toBe(seal);
});

test('messages of every length about a block come out as in node’s own library', () => {
  const key = Buffer.alloc(32, 7);
  for (let length = 0; length < 200; length++) {
    const message = Buffer.alloc(length, length);
    expect(digestOf(message)).toBe(createHash('sha256').update(message).digest('hex'));
    expect(sealOf(key, message)).toBe(createHmac('sha256', key).update(message).digest('hex'));
  }
});
