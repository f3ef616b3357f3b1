/**
 * Values in JSON, read where they stand: a value is the place of its first letter, 0 is none. Nothing is copied or
 * kept, so that a cart of two hundred lines costs what it takes to walk over it. Texts are compared and copied as
 * they are written; none that is compared here has anything to escape.
 */

export type Value = usize;

const QUOTE: u8 = 34;
const COMMA: u8 = 44;
const BACKSLASH: u8 = 92;
/** `"id"`, as four bytes are loaded. */
const ID: u32 = 0x22646922;
/** What `skipString` stops at: a letter below the one after the quote, or a backslash, has its high bit in `marks`. */
const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;

/** Return the value of an object's property; 0 where there is none or the value is no object. */
export function get(value: Value, name: string): Value {
  if (!isObject(value)) return 0;
  let at = skipSpace(value + 1);
  while (load<u8>(at) == QUOTE) {
    const end = skipString(at);
    const found = end - at - 2 == <usize>name.length && equals(at + 1, name);
    at = skipSpace(skipSpace(end) + 1);
    if (found) return at;
    at = next(at);
    if (at == 0) return 0;
  }
  return 0;
}

/** Return a list's first value; 0 for an empty list and for what is none. */
export function first(list: Value): Value {
  if (list == 0 || load<u8>(list) != 91) return 0;
  const at = skipSpace(list + 1);
  return load<u8>(at) == 93 ? 0 : at;
}

/** Return how many of an object's values are true. */
export function countTrue(value: Value): i32 {
  if (!isObject(value)) return 0;
  let found = 0;
  for (let at = skipSpace(value + 1); load<u8>(at) == QUOTE; at = next(at)) {
    at = skipSpace(skipSpace(skipString(at)) + 1);
    if (isTrue(at)) found++;
  }
  return found;
}

/** Return the value, or property, that comes after this one; 0 after the last. */
export function next(value: Value): Value {
  const at = skipSpace(skip(value));
  return load<u8>(at) == COMMA ? skipSpace(at + 1) : 0;
}

export function isObject(value: Value): bool {
  return value != 0 && load<u8>(value) == 123;
}

export function isTrue(value: Value): bool {
  return value != 0 && load<u8>(value) == 116;
}

export function isText(value: Value): bool {
  return value != 0 && load<u8>(value) == QUOTE;
}

/** Return where a text's first letter is. */
export function letters(text: Value): usize {
  return text + 1;
}

/** Return how many bytes a text has, -1 for what is none. */
export function size(text: Value): i32 {
  return isText(text) ? <i32>(skipString(text) - text) - 2 : -1;
}

/** Return whether the value is this text. */
export function is(value: Value, text: string): bool {
  return size(value) == text.length && equals(value + 1, text);
}

/** Return whether two texts are alike. */
export function same(one: Value, other: Value): bool {
  const bytes = size(one);
  return bytes >= 0 && bytes == size(other) && memory.compare(one + 1, other + 1, bytes) == 0;
}

function equals(at: usize, text: string): bool {
  for (let i = 0; i < text.length; i++) {
    if (load<u8>(at + i) != load<u8>(changetype<usize>(text) + (i << 1))) return false;
  }
  return true;
}

function skipSpace(at: usize): usize {
  while (load<u8>(at) <= 32 && load<u8>(at) != 0) at++;
  return at;
}

/** Return the place after the value. */
function skip(value: Value): usize {
  const letter = load<u8>(value);
  if (letter == QUOTE) return skipString(value);
  if (letter == 123 || letter == 91) return skipNested(value);
  let at = value;
  for (let each = load<u8>(at); each > 32 && each != COMMA && each != 125 && each != 93; each = load<u8>(at)) at++;
  return at;
}

/**
 * The texts named `id` that the last object had: its own, and one of an object in an object of it; 0 for none.
 * With where their letters end.
 */
export let ownId: Value = 0;
export let ownEnd: usize = 0;
export let innerId: Value = 0;
export let innerEnd: usize = 0;

/** Walk over an object once, and return what comes after it in its list; 0 after the last. */
export function readIds(value: Value): Value {
  ownId = 0;
  innerId = 0;
  const at = skipSpace(skipNested(value));
  return load<u8>(at) == COMMA ? skipSpace(at + 1) : 0;
}

/** Keep an id by how deep it stands, and return the place after it. */
function noteId(value: Value, depth: i32): usize {
  if (!isText(value)) return value;
  const end = skipString(value);
  if (depth == 1) {
    ownId = value;
    ownEnd = end - 1;
  } else if (depth == 3) {
    innerId = value;
    innerEnd = end - 1;
  }
  return end;
}

function skipNested(value: Value): usize {
  let depth = 0;
  let at = value;
  for (let letter = load<u8>(at); letter != 0; letter = load<u8>(at)) {
    if (letter == QUOTE) {
      const name = load<u32>(at);
      at = skipString(at);
      if (name == ID) at = noteId(skipSpace(skipSpace(at) + 1), depth);
      continue;
    }
    at++;
    // { and [ differ from } and ] by two, and from all else that stands outside of texts.
    const kind = letter | 0x20;
    if (kind == 123) depth++;
    else if (kind == 125 && --depth == 0) return at;
  }
  return at;
}

/** Return the place after a text's last quote, which is looked for eight letters at a time. */
function skipString(text: Value): usize {
  let at = text + 1;
  while (true) {
    const word = load<u64>(at);
    const marks = ((word - ONES * 35) | ((word ^ (ONES * BACKSLASH)) - ONES)) & ~word & HIGHS;
    if (marks == 0) {
      at += 8;
      continue;
    }
    at += <usize>(ctz(marks) >> 3);
    const letter = load<u8>(at);
    if (letter == QUOTE) return at + 1;
    if (letter == 0) return at;
    at += letter == BACKSLASH && load<u8>(at + 1) != 0 ? 2 : 1;
  }
}
