// The segments pages: a segmentation asked for and followed, the merchant's own segments and their way
// with shoppers written and checked by the app while they are written, customers decided on.

import {ACTIONS, call, fail} from './admin.js';
import {_} from './language.js';
import {guard} from './unsaved.js';

const POLL_MS = 2000;
const TYPING_MS = 400;

const STAGES = {
  reading: _('Reading orders'),
  training: _('Learning'),
  applying: _('Putting customers into segments'),
  failed: _('That failed. Try again, or wait for the night, when it is done by itself.'),
};

/** Say how far the segmentation is until a newer one serves, then show it, or until it failed. */
async function follow(before, stage) {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, POLL_MS));
    if (document.hidden) continue;
    let news;
    try {
      news = await call('/admin/api/segments/progress');
    } catch {
      continue; // the next try may do better
    }
    if (news.trained_at !== before && news.stage === 'done') return location.reload();
    stage.textContent = STAGES[news.stage] ?? _('Waiting for the worker');
    if (news.stage === 'failed') return undefined;
  }
}

const fieldsOf = (item) => [...item.querySelectorAll('[data-field]')];

function read(item, each) {
  return Object.fromEntries(fieldsOf(item).map((field) => [field.dataset.field, each(field.dataset.field, field.value.trim())]));
}

const itemsOf = (form, list) => [...form.querySelectorAll(`[data-list="${list}"] > [data-item]`)];

/** Return a whole number where one was typed; what else was typed is the app's to judge. */
const counted = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : text);

const optional = (text) => (text === '' ? null : counted(text));

function readSegment(form) {
  const money = form.dataset.money.split(' ');
  const conditions = itemsOf(form, 'conditions').map((item) => {
    const {measure, compare, value, within_days} = read(item, (_name, text) => text);
    const amount = money.includes(measure) ? value.replace(',', '.') : counted(value);
    return {measure, compare, value: amount, within_days: optional(within_days)};
  });
  const own = (name) => form.querySelector(`[data-field="${name}"]`).value;
  const segment = {name: own('name'), match: own('match'), conditions};
  return {segment, replaces: form.dataset.replaces || null, seen: form.dataset.seen || null};
}

const plain = (text) => text.normalize('NFKC').toLowerCase().replaceAll(/[\s_-]+/g, '_');

/** Return the names of segments that were typed as the page calls them, or as they are kept. */
function segmentsIn(text, titles) {
  const names = new Map(Object.entries(titles).flatMap(([name, title]) => [[plain(name), name], [plain(title), name]]));
  const typed = text.split(/[,،、]/).map((each) => each.trim()).filter(Boolean);
  return typed.map((each) => names.get(plain(each)) ?? each);
}

function readApproach(form) {
  const titles = JSON.parse(form.dataset.titles);
  const steps = (list) => itemsOf(form, list).map((item) => read(item, (name, text) => {
    if (name === 'segments') return segmentsIn(text, titles);
    return name === 'most_percent' ? optional(text) : text;
  }));
  const own = (name) => counted(form.querySelector(`[data-field="${name}"]`).value.trim());
  const policy = {warm_from_orders: own('warm_from_orders'), warm_from_views: own('warm_from_views')};
  return {policy: {...policy, cold: steps('cold'), warm: steps('warm')}, seen: form.dataset.seen};
}

// What each form sends, where it is checked and kept, and what is said once it is.
const EDITORS = {
  segment: {
    read: readSegment,
    check: '/admin/api/segments/check',
    keep: '/admin/api/segments/keep',
    kept(form, {requested}) {
      shopify.toast.show(requested ? _('Saved. Customers are being put into segments.') : _('Saved. Customers are put into segments tonight.'));
      location.assign(form.dataset.back);
    },
  },
  approach: {
    read: readApproach,
    check: '/admin/api/segments/approach/check',
    keep: '/admin/api/segments/approach',
    kept(form, {seen}) {
      form.dataset.seen = seen;
      shopify.toast.show(_('Saved'));
    },
  },
};

/** Return the field that the app names: `segments[0].conditions[1].value`, `cold[0].approach`, `name`. */
function fieldNamed(form, path) {
  const inside = path.replace(/^(policy|segments(\[\d+\])?)\.?/, '');
  const [, list, at, name] = /^(\w+)\[(\d+)\]\.?(\w*)/.exec(inside) ?? [];
  const item = list ? itemsOf(form, list)[Number(at)] : form;
  return item?.querySelector(`[data-field="${CSS.escape(name || inside)}"]`) ?? item?.querySelector('[data-field]');
}

/** Show what is wrong where it is wrong; of a field that nobody wrote in yet only below. */
function show(form, error, says) {
  const {message} = error;
  const field = error.field && fieldNamed(form, error.field);
  for (const each of form.querySelectorAll('[error]')) if (each !== field) each.removeAttribute('error');
  if (field?.dataset.touched !== undefined) field.setAttribute('error', message);
  says.textContent = field ? `${field.getAttribute('label')}: ${message}` : message;
}

let latest = 0;

/** Ask the app what it thinks of what is written so far. */
async function check(form) {
  const editor = EDITORS[form.dataset.edit];
  const says = form.querySelector('[data-says]');
  const turn = ++latest;
  try {
    const told = await call(editor.check, editor.read(form));
    if (turn !== latest) return;
    for (const each of form.querySelectorAll('[error]')) each.removeAttribute('error');
    says.textContent = told.says;
  } catch (error) {
    if (turn === latest && error.message) show(form, error, says);
  }
}

let typing;

function changed(event) {
  const form = event.target.closest?.('[data-edit]');
  if (!form) return;
  const field = event.target.closest('[data-field]');
  if (field) field.dataset.touched = '';
  clearTimeout(typing);
  typing = setTimeout(() => void check(form), TYPING_MS);
}

document.addEventListener('input', changed);
document.addEventListener('change', changed);

document.addEventListener('submit', async (event) => {
  const form = event.target.closest('[data-edit]');
  if (!form) return;
  event.preventDefault();
  clearTimeout(typing);
  latest += 1;
  const button = form.querySelector('s-button[type=submit]');
  const editor = EDITORS[form.dataset.edit];
  for (const field of fieldsOf(form)) field.dataset.touched = '';
  button.setAttribute('disabled', '');
  try {
    const kept = await call(editor.keep, editor.read(form));
    await SETTLE.get(form)();
    editor.kept(form, kept);
    for (const each of form.querySelectorAll('[error]')) each.removeAttribute('error');
    form.querySelector('[data-says]').textContent = '';
  } catch (error) {
    show(form, error, form.querySelector('[data-says]'));
    fail(error);
  } finally {
    button.removeAttribute('disabled');
  }
});

const SETTLE = new Map([...document.querySelectorAll('[data-edit]')].map((form) => [form, guard(form, 's-button[type=submit]')]));

const VERDICTS = {confirmed: _('Confirmed'), excluded: _('Excluded'), pinned: _('Pinned'), open: _('Taken back')};

Object.assign(ACTIONS, {
  async 'segment-now'(button) {
    await call('/admin/api/segments/run', {});
    shopify.toast.show(_('Segments are being worked out'));
    await follow(button.dataset.trained, button.parentElement.querySelector('[data-stage]'));
  },
  'add-item'(button) {
    const form = button.closest('form');
    const {to} = button.dataset;
    const made = form.querySelector(`template[data-template="${to}"]`).content.cloneNode(true);
    form.querySelector(`[data-list="${to}"]`).append(made);
    itemsOf(form, to).at(-1).querySelector('[data-field]').focus();
    void check(form);
  },
  'remove-item'(button) {
    const form = button.closest('form');
    const item = button.closest('[data-item]');
    const near = item.nextElementSibling ?? item.previousElementSibling ?? form;
    item.remove();
    near.querySelector('[data-field], s-button')?.focus();
    void check(form);
  },
  'move-item'(button) {
    const item = button.closest('[data-item]');
    item.previousElementSibling?.before(item);
    button.focus();
    void check(item.closest('form'));
  },
  async 'remove-segment'({dataset}) {
    const {requested} = await call('/admin/api/segments/remove', {name: dataset.name});
    shopify.toast.show(requested ? _('Removed. Customers are being put into segments.') : _('Removed. Customers are put into segments tonight.'));
    location.reload();
  },
  async decide(button) {
    const {customer} = button.closest('[data-customer]').dataset;
    const {verdict} = button.dataset;
    const choice = button.closest('[data-customer]').querySelector('[name=segment]');
    const segment = verdict === 'pinned' ? choice.value : null;
    const {applied} = await call('/admin/api/segments/decide', {customer_id: customer, verdict, segment});
    shopify.toast.show(applied ? VERDICTS[verdict] : _('%(verdict)s. It holds from the next segmentation on.', {verdict: VERDICTS[verdict]}));
    location.reload();
  },
});
