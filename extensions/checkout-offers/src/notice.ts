import {messageWords} from './message.ts';
import type {Button, NoticeView, Scene} from './model.ts';
import type {Entry, Phase} from './state.ts';
import type {Words} from './words.ts';

/** Return a coupon's notice; undefined where its code could not be used. */
export function couponNotice({offer, phase}: Entry, scene: Scene): NoticeView | undefined {
  const {discount} = offer;
  if (!discount) return undefined;
  const args = {code: discount.code, percentage: discount.percentage ?? 0};
  const offered = discount.percentage ? 'coupon.save' : 'coupon.use';
  if (scene.surface === 'thank_you') return {layout: 'notice', offer, text: {key: 'coupon.next_order', args}, tone: 'info'};
  if (phase === 'added') return {layout: 'notice', offer, text: {key: 'coupon.applied', args}, tone: 'success'};
  if (!scene.can.discount) return undefined;
  const failed = phase === 'failed';
  const text = {key: failed ? 'coupon.failed' : offered, args};
  return {layout: 'notice', offer, text, tone: failed ? 'critical' : 'info', button: applyButton(phase, args)};
}

/** Return the notice of a banner, a message or a progress; undefined when its sentence is unknown. */
export function messageNotice({offer}: Entry): NoticeView | undefined {
  const text = messageWords(offer.message);
  return text && {layout: 'notice', offer, text, tone: 'info'};
}

function applyButton(phase: Phase, args: Words['args']): Button {
  return {
    text: {key: phase === 'failed' ? 'button.retry' : 'button.apply'},
    label: {key: 'button.apply_label', args},
    action: 'accept',
    variant: 'secondary',
    loading: phase === 'adding',
    disabled: false,
  };
}
