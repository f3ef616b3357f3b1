/** The cart's lines, walked over once: what is asked of two hundred of them is read off this table. */
import {first, innerEnd, innerId, ownEnd, ownId, readIds, Value} from './json';

const MOST_LINES: i32 = 2048;
const SLASH: u8 = 47;

/** For each line: its id and where that ends, its product's id, 0 where it has none, and where that ends. */
const ROW: i32 = 16;
const TABLE = memory.data(32768);
let rows: i32 = -1;

/** Return how many lines the list has. */
export function countLines(lines: Value): i32 {
  if (rows >= 0) return rows;
  rows = 0;
  for (let line = first(lines); line != 0 && rows < MOST_LINES; rows++) {
    line = readIds(line);
    const row = TABLE + rows * ROW;
    store<u32>(row, <u32>ownId);
    store<u32>(row, <u32>ownEnd, 4);
    store<u32>(row, <u32>innerId, 8);
    store<u32>(row, <u32>innerEnd, 12);
  }
  return rows;
}

/** Return where the letters of the line's id begin. */
export function idOf(line: i32): usize {
  return load<u32>(TABLE + line * ROW) + 1;
}

/** Return where they end. */
export function endOf(line: i32): usize {
  return load<u32>(TABLE + line * ROW, 4);
}

/** Return the id of the line's product; 0 for a line that is of none. */
export function productOf(line: i32): Value {
  return load<u32>(TABLE + line * ROW, 8);
}

/** Return whether any line is of the product whose number stands there. */
export function hasProduct(from: usize, to: usize): bool {
  for (let line = 0; line < rows; line++) {
    const end = <usize>load<u32>(TABLE + line * ROW, 12);
    if (productOf(line) != 0 && load<u8>(end - 1) == load<u8>(to - 1) && endsWith(end, from, to)) return true;
  }
  return false;
}

/** Return whether what ends there, a `gid://shopify/Product/7`, ends with the number. */
export function endsWith(end: usize, from: usize, to: usize): bool {
  const tail = end - (to - from);
  return to > from && load<u8>(tail - 1) == SLASH && memory.compare(tail, from, to - from) == 0;
}
