/**
 * A grant: `1.{terms}.{until}.{whose}.{number}.{mac}`, of ASCII. The server makes it, a cart's attribute carries
 * it, and the last part is HMAC-SHA256 of all before its dot, with the terms' key.
 *
 * terms: the id of the discount's terms. until: the shop's own date and how many even hours had begun, 2026112507.
 * whose: `c7` for the customer 7 who is logged in, else `p1-2-3`, products that must be in the cart.
 * number: the same for all grants of one shopper, so that one that was used ends the others.
 */
import {countLines, endsWith, hasProduct} from './cart';
import {countTrue, get, isObject, isText, isTrue, letters, size, Value} from './json';
import {DIGEST, hmac} from './sha256';

const DOT: u8 = 46;
const DASH: u8 = 45;
const PARTS: i32 = 6;
const MOST_BYTES: i32 = 255;
const NUMBER: i32 = 12;
const HEX: i32 = 2 * DIGEST;

const TERMS: i32 = 1;
const UNTIL: i32 = 2;
const WHOSE: i32 = 3;
const NTH: i32 = 4;
const SEAL: i32 = 5;

/** Where each part begins, and where it ends. */
const STARTS = memory.data(32);
const ENDS = memory.data(32);
const KEY = memory.data(32);
const MAC = memory.data(32);
const TOLD = memory.data(32);
const NOW = memory.data(16);

/** Return whether the cart carries a grant of these terms that was made for it, holds still and was not used; a company has prices of its own. */
export function holds(root: Value, cart: Value, terms: Value, used: Value): bool {
  const grant = get(get(cart, 'grant'), 'value');
  return (
    split(grant) &&
    length(0) == 1 &&
    load<u8>(start(0)) == 49 &&
    isPart(TERMS, get(terms, 'id')) &&
    inTime(get(get(root, 'shop'), 'localTime')) &&
    authentic(letters(grant), get(terms, 'key')) &&
    unused(used) &&
    !isObject(get(get(cart, 'buyerIdentity'), 'purchasingCompany')) &&
    isFor(cart)
  );
}

/** Find the grant's parts; false for what has not six. */
function split(grant: Value): bool {
  const bytes = size(grant);
  if (bytes < 1 || bytes > MOST_BYTES) return false;
  const last = letters(grant) + bytes;
  let found = 0;
  let begin = letters(grant);
  for (let i = begin; i <= last; i++) {
    if (i < last && load<u8>(i) != DOT) continue;
    if (found == PARTS) return false;
    store<u32>(STARTS + (found << 2), <u32>begin);
    store<u32>(ENDS + (found << 2), <u32>i);
    found++;
    begin = i + 1;
  }
  return found == PARTS;
}

function start(part: i32): usize {
  return load<u32>(STARTS + (part << 2));
}

function end(part: i32): usize {
  return load<u32>(ENDS + (part << 2));
}

function length(part: i32): i32 {
  return <i32>(end(part) - start(part));
}

function isPart(part: i32, text: Value): bool {
  const bytes = size(text);
  return bytes > 0 && bytes == length(part) && memory.compare(start(part), letters(text), bytes) == 0;
}

/** Whether the grant's last two hours are not over: both times are ten digits, which compare as texts do. */
function inTime(localTime: Value): bool {
  const date = get(localTime, 'date');
  if (size(date) != 10 || length(UNTIL) != 10) return false;
  memory.copy(NOW, letters(date), 4);
  memory.copy(NOW + 4, letters(date) + 5, 2);
  memory.copy(NOW + 6, letters(date) + 8, 2);
  const begun = countTrue(localTime);
  store<u8>(NOW + 8, <u8>(48 + begun / 10));
  store<u8>(NOW + 9, <u8>(48 + (begun % 10)));
  return memory.compare(start(UNTIL), NOW, 10) >= 0;
}

/** Whether the seal is the key's own; every byte is looked at, so that the time tells nothing. */
function authentic(message: usize, key: Value): bool {
  if (size(key) != HEX || length(SEAL) != HEX) return false;
  if (!unhex(letters(key), KEY) || !unhex(start(SEAL), TOLD)) return false;
  hmac(KEY, DIGEST, message, <i32>(end(NTH) - message), MAC);
  let differ: u8 = 0;
  for (let i = 0; i < DIGEST; i++) differ |= load<u8>(MAC + i) ^ load<u8>(TOLD + i);
  return differ == 0;
}

/** Put the 32 bytes that hexadecimal digits say at `to`; false for what is none. */
function unhex(text: usize, to: usize): bool {
  for (let i = 0; i < DIGEST; i++) {
    const high = digit(load<u8>(text + (i << 1)));
    const low = digit(load<u8>(text + (i << 1) + 1));
    if (high < 0 || low < 0) return false;
    store<u8>(to + i, <u8>((high << 4) | low));
  }
  return true;
}

function digit(letter: u8): i32 {
  if (letter >= 48 && letter <= 57) return letter - 48;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Whether no order is known that used a grant with this number. used: numbers of one length, one after another. */
function unused(used: Value): bool {
  const bytes = size(used);
  if (bytes < 0 || length(NTH) != NUMBER) return false;
  const begins = load<u64>(start(NTH));
  const ends = load<u32>(start(NTH) + 8);
  const last = letters(used) + bytes;
  for (let at = letters(used); at < last; at += NUMBER) if (load<u64>(at) == begins && load<u32>(at + 8) == ends) return false;
  return true;
}

function isFor(cart: Value): bool {
  if (length(WHOSE) < 2) return false;
  const kind = load<u8>(start(WHOSE));
  if (kind == 99) return isCustomer(get(cart, 'buyerIdentity'));
  return kind == 112 && hasProducts(get(cart, 'lines'));
}

function isCustomer(buyer: Value): bool {
  const id = get(get(buyer, 'customer'), 'id');
  return isTrue(get(buyer, 'isAuthenticated')) && isText(id) && endsWith(letters(id) + size(id), start(WHOSE) + 1, end(WHOSE));
}

/** Whether every product the grant names is still in the cart. */
function hasProducts(lines: Value): bool {
  if (countLines(lines) == 0) return false;
  let from = start(WHOSE) + 1;
  for (let i = from; i <= end(WHOSE); i++) {
    if (i < end(WHOSE) && load<u8>(i) != DASH) continue;
    if (i == from || !hasProduct(from, i)) return false;
    from = i + 1;
  }
  return true;
}
