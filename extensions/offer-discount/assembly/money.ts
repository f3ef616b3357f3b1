/** Amounts of the shop's currency in that of the cart. */
import {get, letters, size, Value} from './json';
import {say, sayBytes, sayLetter} from './wasi';

const HUNDREDTHS: i64 = 100;
/** What a rate makes of an amount may miss a little of what it should be. */
const CLOSE: f64 = 0.000001;

/** Return whether the cart's subtotal comes up to the terms' minimum, if they have one. */
export function reaches(root: Value, cart: Value, terms: Value): bool {
  const minimum = decimal(get(terms, 'minimum'));
  if (isNaN(minimum)) return true;
  const subtotal = decimal(get(get(get(cart, 'cost'), 'subtotalAmount'), 'amount'));
  return subtotal + CLOSE >= minimum * rateOf(root);
}

/**
 * Say an amount of the shop's currency in the cart's: where that is the same one, to its last digit, else rounded down,
 * never more than was promised.
 */
export function sayAmount(root: Value, amount: Value): void {
  const rate = rateOf(root);
  if (rate == 1) return sayText(amount);
  const hundredths = <i64>Math.floor(decimal(amount) * rate * <f64>HUNDREDTHS + CLOSE);
  const cents = hundredths % HUNDREDTHS;
  sayWhole(hundredths / HUNDREDTHS);
  say(cents < 10 ? '.0' : '.');
  sayWhole(cents);
}

/** Say a text of digits as it was read. */
export function sayText(text: Value): void {
  sayBytes(letters(text), max(0, size(text)));
}

/** Return the number that a text of digits with at most one dot says, else NaN. */
export function decimal(text: Value): f64 {
  const bytes = size(text);
  if (bytes < 1) return NaN;
  let digits: f64 = 0;
  let scale: f64 = 0;
  for (let i = 0; i < bytes; i++) {
    const letter = load<u8>(letters(text) + i);
    if (letter == 46 && scale == 0) {
      scale = 1;
      continue;
    }
    if (letter < 48 || letter > 57) return NaN;
    digits = digits * 10 + (letter - 48);
    scale *= 10;
  }
  return scale > 1 ? digits / scale : digits;
}

function rateOf(root: Value): f64 {
  return decimal(get(root, 'presentmentCurrencyRate'));
}

function sayWhole(value: i64): void {
  if (value >= 10) sayWhole(value / 10);
  sayLetter(<u8>(48 + (value % 10)));
}
