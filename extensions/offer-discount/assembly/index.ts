/**
 * What an accepted offer takes off, for a cart that carries its grant: Shopify runs `lines` and `delivery` for the
 * automatic discount of each campaign, whose terms and key are in the discount's own metafield.
 */
import {countLines, endOf, idOf, productOf} from './cart';
import {holds} from './grant';
import {first, get, is, isObject, isText, letters, next, same, size, Value} from './json';
import {decimal, reaches, sayAmount, sayText} from './money';
import {flush, readAll, say, sayBytes} from './wasi';

/** The target `cart.lines.discounts.generate.run`. */
export function lines(): void {
  const root = readAll();
  const terms = termsOf(root);
  const cart = get(root, 'cart');
  if (granted(root, cart, terms, 'ORDER', 'order')) orderOff(root, terms);
  else if (granted(root, cart, terms, 'PRODUCT', 'product')) productsOff(root, cart, terms);
  else say('{"operations":[]}');
  flush();
}

/** The target `cart.delivery-options.discounts.generate.run`. */
export function delivery(): void {
  const root = readAll();
  const terms = termsOf(root);
  const cart = get(root, 'cart');
  const group = first(get(cart, 'deliveryGroups'));
  if (group != 0 && granted(root, cart, terms, 'SHIPPING', 'shipping')) shippingOff(root, group, terms);
  else say('{"operations":[]}');
  flush();
}

/** The metafield's value: the terms, and apart from them the numbers of grants that were used. */
function configOf(root: Value): Value {
  return get(get(get(root, 'discount'), 'metafield'), 'jsonValue');
}

function termsOf(root: Value): Value {
  return get(configOf(root), 'terms');
}

/** Whether these terms take something off the class, the discount may, and the cart may have it. */
function granted(root: Value, cart: Value, terms: Value, discountClass: string, appliesTo: string): bool {
  return (
    isObject(terms) &&
    is(get(terms, 'class'), appliesTo) &&
    isAmong(get(get(root, 'discount'), 'discountClasses'), discountClass) &&
    (decimal(get(terms, 'percentage')) > 0 || decimal(get(terms, 'amount')) > 0) &&
    reaches(root, cart, terms) &&
    holds(root, cart, terms, get(configOf(root), 'used'))
  );
}

function isAmong(classes: Value, wanted: string): bool {
  for (let each = first(classes); each != 0; each = next(each)) if (is(each, wanted)) return true;
  return false;
}

function orderOff(root: Value, terms: Value): void {
  begin('orderDiscountsAdd', 'FIRST', terms);
  say('{"orderSubtotal":{"excludedCartLineIds":[]}}');
  end(root, terms, '');
}

function productsOff(root: Value, cart: Value, terms: Value): void {
  const products = get(terms, 'products');
  let targets = 0;
  const lines = countLines(get(cart, 'lines'));
  for (let line = 0; line < lines; line++) {
    if (!isTouched(productOf(line), products)) continue;
    if (targets++ == 0) begin('productDiscountsAdd', 'FIRST', terms);
    else say(',');
    target('cartLine', idOf(line), endOf(line));
  }
  if (targets == 0) say('{"operations":[]}');
  else end(root, terms, ',"appliesToEachItem":false');
}

/** Whether the product is one of these: any, where none is named. */
function isTouched(product: Value, products: Value): bool {
  if (!isText(product)) return false;
  if (first(products) == 0) return true;
  for (let each = first(products); each != 0; each = next(each)) if (same(each, product)) return true;
  return false;
}

/** A share is taken off every parcel, an amount off the first alone: it was promised once. */
function shippingOff(root: Value, group: Value, terms: Value): void {
  begin('deliveryDiscountsAdd', 'ALL', terms);
  const all = decimal(get(terms, 'percentage')) > 0;
  for (let each = group; each != 0; each = all ? next(each) : 0) {
    const id = get(each, 'id');
    if (each != group) say(',');
    target('deliveryGroup', letters(id), letters(id) + size(id));
  }
  end(root, terms, '');
}

/** Begin the only operation with its only candidate, up to its targets. */
function begin(operation: string, strategy: string, terms: Value): void {
  say('{"operations":[{"');
  say(operation);
  say('":{"selectionStrategy":"');
  say(strategy);
  say('","candidates":[{"message":"');
  sayText(get(terms, 'title'));
  say('","targets":[');
}

/** Say a target, whose id's letters stand there. */
function target(kind: string, from: usize, to: usize): void {
  say('{"');
  say(kind);
  say('":{"id":"');
  sayBytes(from, <i32>(to - from));
  say('"}}');
}

/** End what `begin` began with what is taken off. further: what else is to be said of an amount. */
function end(root: Value, terms: Value, further: string): void {
  const percentage = get(terms, 'percentage');
  if (decimal(percentage) > 0) {
    say('],"value":{"percentage":{"value":"');
    sayText(percentage);
    say('"}}}]}}]}');
  } else {
    say('],"value":{"fixedAmount":{"amount":"');
    sayAmount(root, get(terms, 'amount'));
    say('"');
    say(further);
    say('}}}]}}]}');
  }
}
