/** Standard input and output, by which Shopify hands a Function its input as JSON and takes its answer. */

@external("wasi_snapshot_preview1", "fd_read")
declare function fdRead(descriptor: i32, places: usize, count: i32, done: usize): i32;

@external("wasi_snapshot_preview1", "fd_write")
declare function fdWrite(descriptor: i32, places: usize, count: i32, done: usize): i32;

/** Shopify gives 128 kB, and more with more than 200 lines; it takes 20 kB, and more likewise. */
const MOST_IN: i32 = 512 * 1024;
const MOST_OUT: i32 = 64 * 1024;

const PLACE = memory.data(8);
const DONE = memory.data(4);
let written: i32 = 0;

/** Return where the input begins, which ends with a zero; what is longer than there is room is taken for none. */
export function readAll(): usize {
  const from = output() + MOST_OUT;
  const pages = <i32>((from + MOST_IN + 0xffff) >> 16);
  if (memory.size() < pages) memory.grow(pages - memory.size());
  let bytes = 0;
  while (bytes < MOST_IN - 1) {
    store<u32>(PLACE, <u32>from + bytes);
    store<u32>(PLACE, MOST_IN - 1 - bytes, 4);
    if (fdRead(0, PLACE, 1, DONE) != 0 || load<i32>(DONE) == 0) break;
    bytes += load<i32>(DONE);
  }
  store<u64>(from + bytes, 0);
  if (bytes == MOST_IN - 1) store<u8>(from, 0);
  return from;
}

/** Add a text of ASCII to the answer: letters of two bytes, of which four are made one byte each at a time. */
export function say(text: string): void {
  const letters = text.length;
  if (written + letters + 4 > MOST_OUT) return;
  const to = output() + written;
  for (let i = 0; i < letters; i += 4) {
    const four = load<u64>(changetype<usize>(text) + (i << 1));
    const two = (four | (four >> 8)) & 0x0000ffff0000ffff;
    store<u32>(to + i, <u32>(two | (two >> 16)));
  }
  written += letters;
}

/** Add bytes to the answer as they are. */
export function sayBytes(from: usize, bytes: i32): void {
  if (written + bytes > MOST_OUT) return;
  memory.copy(output() + written, from, bytes);
  written += bytes;
}

/** Add one letter to the answer. */
export function sayLetter(letter: u8): void {
  if (written == MOST_OUT) return;
  store<u8>(output() + written, letter);
  written++;
}

/** Hand the answer over. */
export function flush(): void {
  let sent = 0;
  while (sent < written) {
    store<u32>(PLACE, <u32>output() + sent);
    store<u32>(PLACE, written - sent, 4);
    if (fdWrite(1, PLACE, 1, DONE) != 0 || load<i32>(DONE) == 0) unreachable();
    sent += load<i32>(DONE);
  }
  written = 0;
}

/** The answer stands after all that is the module's own, and the input after it: nothing here allocates. */
function output(): usize {
  return (__heap_base + 15) & ~15;
}
