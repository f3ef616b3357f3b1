// Who sees which arm: the same hash and the same arms as the server's app/experiments/assign.py. Pure.

/** share: of the units that are in the experiment; the shares of all arms sum to one. */
export interface Arm {
  name: string;
  share: number;
}

/** salt: a new one shuffles all units anew. arms: in the order of their names. ramp: the share of units in it. */
export interface Experiment {
  salt: string;
  arms: readonly Arm[];
  ramp: number;
}

/** The unit's arm, null for a unit that the ramp has not reached. */
export function assign(experiment: Experiment, unit: string): string | null {
  const {salt, arms, ramp} = experiment;
  if (ramp < 1 && bucket(`${salt} ramp`, unit) >= ramp) return null;
  let point = bucket(salt, unit);
  for (const arm of arms) {
    if (point < arm.share) return arm.name;
    point -= arm.share;
  }
  return arms.at(-1)?.name ?? null; // rounding left a sliver above the last share
}

/** Where the unit falls in [0, 1): uniform over units, unrelated between salts. */
export function bucket(salt: string, unit: string): number {
  const digest = new DataView(new ArrayBuffer(8));
  digest.setBigUint64(0, blake2b64(new TextEncoder().encode(`${salt}\0${unit}`)), true);
  return (digest.getUint32(0) * 2 ** 21 + (digest.getUint32(4) >>> 11)) / 2 ** 53;
}

// BLAKE2b, RFC 7693, with no key and a digest of eight bytes.
const BLOCK = 128;
const ROUNDS = 12;
const IV = words(
  '6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1510e527fade682d19b05688c2b3e6c1f1f83d9abfb41bd6b5be0cd19137e2179',
);
const PARAMETERS = BigInt(0x01010008);
/** The order in which a round takes the words of a block, a hex digit each. */
const ORDERS = [
  '0123456789abcdef', 'ea489fd61c02b753', 'b8c052fdae367194', '7931dcbe265a40f8', '905724afe1bc683d',
  '2c6a0b834d75fe19', 'c51fed4a0763928b', 'db7ec13950f4862a', '6fe9b308c2d714a5', 'a2847615fb9e3cd0',
];
/** The four words that each step mixes: the columns of a four by four square, then its diagonals. */
const STEPS = ['048c', '159d', '26ae', '37bf', '05af', '16bc', '278d', '349e'];

function blake2b64(message: Uint8Array): bigint {
  const state = IV.slice();
  state[0]! ^= PARAMETERS;
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
  for (let block = 1; block <= blocks; block++) {
    const bytes = new Uint8Array(BLOCK);
    bytes.set(message.subarray((block - 1) * BLOCK, block * BLOCK));
    const last = block === blocks;
    compress(state, new DataView(bytes.buffer), last ? message.length : block * BLOCK, last);
  }
  return state[0]!;
}

function compress(state: BigUint64Array, block: DataView, counted: number, last: boolean): void {
  const v = new BigUint64Array(16);
  v.set(state);
  v.set(IV, 8);
  v[12]! ^= BigInt(counted);
  if (last) v[14]! ^= BigInt(-1); // the array keeps 64 bits of it
  for (let round = 0; round < ROUNDS; round++) {
    const order = ORDERS[round % ORDERS.length]!;
    STEPS.forEach((step, at) => {
      const [a, b, c, d] = [...step].map((digit) => parseInt(digit, 16)) as [number, number, number, number];
      const half = (x: number, first: number, second: number) => {
        v[a] = v[a]! + v[b]! + block.getBigUint64(8 * parseInt(order[x]!, 16), true);
        v[d] = turned(v[d]! ^ v[a]!, first);
        v[c] = v[c]! + v[d]!;
        v[b] = turned(v[b]! ^ v[c]!, second);
      };
      half(2 * at, 32, 24);
      half(2 * at + 1, 16, 63);
    });
  }
  state.forEach((_, at) => (state[at]! ^= v[at]! ^ v[at + 8]!));
}

/** The 64 bits turned to the right; what is above them is cut off where it is stored. */
function turned(word: bigint, by: number): bigint {
  return BigInt.asUintN(64, (word >> BigInt(by)) | (word << BigInt(64 - by)));
}

function words(hex: string): BigUint64Array {
  return BigUint64Array.from(hex.match(/.{16}/g)!, (word) => BigInt(`0x${word}`));
}
