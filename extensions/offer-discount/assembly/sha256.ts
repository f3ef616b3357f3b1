/** SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), of messages that fit a page, with no allocation. */

export const DIGEST: i32 = 32;
const BLOCK: i32 = 64;

const ROUNDS: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];
const START: StaticArray<u32> = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

const SCHEDULE = memory.data(256);
const STATE = memory.data(32);
const TAIL = memory.data(128);
const PAD = memory.data(64);
/** What a keyed hash reads: the padded key, then the message. */
const KEYED = memory.data(1024);
export const MOST_MESSAGE: i32 = 1024 - BLOCK;

/** Put HMAC-SHA256 of the message at `to`. The key is at most a block, the message at most MOST_MESSAGE. */
export function hmac(key: usize, keyBytes: i32, message: usize, bytes: i32, to: usize): void {
  memory.fill(PAD, 0, BLOCK);
  memory.copy(PAD, key, keyBytes);
  pad(0x36);
  memory.copy(KEYED + BLOCK, message, bytes);
  sha256(KEYED, BLOCK + bytes, to);
  pad(0x5c);
  memory.copy(KEYED + BLOCK, to, DIGEST);
  sha256(KEYED, BLOCK + DIGEST, to);
}

/** Put SHA-256 of the message at `to`. */
export function sha256(message: usize, bytes: i32, to: usize): void {
  memory.copy(STATE, changetype<usize>(START), DIGEST);
  const whole = bytes - (bytes % BLOCK);
  for (let i = 0; i < whole; i += BLOCK) digest(message + i);
  finish(message + whole, bytes - whole, bytes);
  for (let i = 0; i < DIGEST; i += 4) store<u32>(to + i, bswap(load<u32>(STATE + i)));
}

/** Digest what is left of the message, its end and its length in bits. */
function finish(rest: usize, left: i32, bytes: i32): void {
  const blocks = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;
  memory.fill(TAIL, 0, 2 * BLOCK);
  memory.copy(TAIL, rest, left);
  store<u8>(TAIL + left, 0x80);
  store<u64>(TAIL + blocks - 8, bswap((<u64>bytes) << 3));
  for (let i = 0; i < blocks; i += BLOCK) digest(TAIL + i);
}

function pad(byte: u8): void {
  for (let i = 0; i < BLOCK; i++) store<u8>(KEYED + i, load<u8>(PAD + i) ^ byte);
}

function digest(block: usize): void {
  for (let i = 0; i < 16; i++) store<u32>(SCHEDULE + (i << 2), bswap(load<u32>(block + (i << 2))));
  for (let i = 16; i < 64; i++) {
    const at = SCHEDULE + (i << 2);
    const w15 = load<u32>(at - 60);
    const w2 = load<u32>(at - 8);
    const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3);
    const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10);
    store<u32>(at, load<u32>(at - 64) + s0 + load<u32>(at - 28) + s1);
  }
  let a = load<u32>(STATE);
  let b = load<u32>(STATE, 4);
  let c = load<u32>(STATE, 8);
  let d = load<u32>(STATE, 12);
  let e = load<u32>(STATE, 16);
  let f = load<u32>(STATE, 20);
  let g = load<u32>(STATE, 24);
  let h = load<u32>(STATE, 28);
  for (let i = 0; i < 64; i++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + unchecked(ROUNDS[i]) + load<u32>(SCHEDULE + (i << 2));
    const t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  add(0, a);
  add(4, b);
  add(8, c);
  add(12, d);
  add(16, e);
  add(20, f);
  add(24, g);
  add(28, h);
}

function add(at: i32, word: u32): void {
  store<u32>(STATE + at, load<u32>(STATE + at) + word);
}
