import {expiry, isOver} from './expiry.ts';
import {messageWords} from './message.ts';
import type {Button, Line, NoticeView, Scene} from './model.ts';
import type {Discount, Offer} from './offer.ts';
import {DISMISSIBLE} from './productCard.ts';
import {savingWords} from './saving.ts';
import {IN_ORDER, type Entry, type Phase} from './state.ts';
import {isOpen} from './surface.ts';

/** Return a coupon's card; undefined where it could not be used, or not any more. */
export function couponCard({id, offer, phase: told}: Entry, scene: Scene): NoticeView | undefined {
  const {discount, message} = offer;
  const open = isOpen(scene.surface);
  // No link to the next cart carries a grant.
  if (!discount || (!open && discount.code === null)) return undefined;
  const phase = discount.code && scene.codes.has(discount.code.toUpperCase()) && told === 'offer' ? 'added' : told;
  const done = IN_ORDER.has(phase);
  if (!done && (isOver(discount, scene.now) || (open && discount.code && !scene.can.discount))) return undefined;
  return {
    layout: 'notice',
    id,
    offer,
    icon: done ? 'check-circle' : 'discount',
    text: messageWords(message) ?? savingWords(discount),
    details: [...usage(offer, discount, phase, open), ...(done ? [] : expiry(discount, scene.now))],
    button: open && discount.code && scene.can.codes ? button(phase, discount.code) : undefined,
    dismissible: scene.settings.show_dismiss && DISMISSIBLE.has(phase),
  };
}

/** How the discount comes into the order, and how that went. */
function usage({message}: Offer, {code}: Discount, phase: Phase, open: boolean): Line[] {
  if (code === null) return [{text: {key: 'coupon.no_code'}, tone: 'neutral'}];
  const args = {code};
  if (phase === 'added' || phase === 'undoing') return [{text: {key: 'coupon.applied', args}, tone: 'success'}];
  if (phase === 'stuck') return [{text: {key: 'coupon.stuck', args}, tone: 'critical'}];
  if (phase === 'failed') return [{text: {key: 'coupon.failed', args}, tone: 'critical'}];
  if (open) return [{text: {key: 'coupon.code', args}, tone: 'neutral'}];
  const minimum = message?.args.minimum;
  const next = typeof minimum === 'object' ? {key: 'coupon.next_order_from', args, money: {minimum}} : {key: 'coupon.next_order', args};
  return [{text: next, tone: 'neutral'}];
}

function button(phase: Phase, code: string): Button {
  const done = IN_ORDER.has(phase);
  const verb = done ? 'remove' : phase === 'failed' ? 'retry' : 'apply';
  return {
    text: {key: `button.${verb}`},
    label: {key: verb === 'retry' ? 'button.retry_code_label' : `button.${verb}_label`, args: {code}},
    action: done ? 'undo' : 'accept',
    variant: done ? 'secondary' : 'primary',
    loading: phase === 'adding' || phase === 'undoing',
    disabled: false,
  };
}
