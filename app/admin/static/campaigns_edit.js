// The editor of a campaign: what is typed is read here, and judged by the app while it is typed.

import {ACTIONS, call, fail, isMeant} from './admin.js';
import {start} from './campaigns.js';
import {_} from './language.js';
import {guard} from './unsaved.js';

const CALLS = '/admin/api/campaigns';
const TYPING_MS = 400;
const SILENT = ['yes', 'no', 'known', 'unknown'];
const RANGES = ['between', 'inside'];
const LISTS = ['in', 'some', 'all', 'none'];

const form = document.querySelector('[data-campaign-form]');
const editing = form && JSON.parse(form.dataset.editing);
const variables = form && JSON.parse(form.dataset.variables);
const part = (name, inside = form) => inside.querySelector(`[data-part="${name}"]`);
const list = (name, inside = form) => inside.querySelector(`[data-list="${name}"]`);
const named = (name, inside = form) => inside.querySelector(`[data-field="${name}"]`);
const itemsOf = (name, inside = form) => [...list(name, inside).children].filter((each) => each.matches('[data-item]'));

const valueOf = (field) => (field.localName === 's-checkbox' ? field.checked : field.value.trim());

/** Return the fields that stand in no item of a list. */
const own = () => [...form.querySelectorAll('[data-field]')].filter((field) => !field.closest('[data-item]'));

const read = (item, ...names) => Object.fromEntries(names.map((name) => [name, valueOf(named(name, item))]));

function readRow(row) {
  const {field, compare, value, upto} = read(row, 'field', 'compare', 'value', 'upto');
  if (SILENT.includes(compare)) return {field, compare};
  return RANGES.includes(compare) ? {field, compare, value, upto} : {field, compare, value};
}

function many(name) {
  return [...form.querySelectorAll(`[data-many="${name}"]`)].filter((box) => box.checked).map((box) => box.getAttribute('value'));
}

/** Return all that is typed, as the app reads it. */
function readForm() {
  const written = Object.fromEntries(own().map((field) => [field.dataset.field, valueOf(field)]));
  const groups = itemsOf('groups').map((group) => ({
    match: valueOf(named('match', group)),
    conditions: itemsOf('conditions', group).map(readRow),
  }));
  return {
    ...written,
    id: form.dataset.id,
    seen: form.dataset.seen,
    key: form.dataset.key,
    slot: form.dataset.slot,
    groups,
    rule: part('json').hidden ? null : written.rule,
    messages: itemsOf('messages').map((item) => read(item, 'locale', 'text')),
    weekdays: many('weekdays').map(Number),
    combines_with: many('combines_with'),
  };
}

const asked = () => ({form: readForm(), locale: form.querySelector('[data-locale]').value.trim()});

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Give a select these options, and choose one of them. */
function offer(select, options, chosen) {
  select.replaceChildren(...options.map(([value, label]) => element('s-option', {value}, label)));
  select.value = chosen;
}

/** Show of a condition what goes with its field: how it compares, in which unit, what there is to choose. */
function fitRow(row, moved = false) {
  const {kind, unit, example, choices, picks} = editing.fields[named('field', row).value] ?? {};
  if (!kind) return;
  const compare = named('compare', row);
  if (moved) {
    const there = editing.asked_of[kind];
    offer(compare, there.map((each) => [each, editing.asked[each]]), there[0]);
    named('value', row).value = '';
    named('upto', row).value = '';
  }
  const how = compare.value;
  part('value', row).hidden = SILENT.includes(how);
  part('upto', row).hidden = !RANGES.includes(how);
  const label = LISTS.includes(how) ? _('Which') : RANGES.includes(how) ? _('From') : _('Value');
  named('value', row).setAttribute('label', unit ? `${label} (${unit})` : label);
  if (LISTS.includes(how)) named('value', row).setAttribute('details', _('Several with commas between'));
  else named('value', row).removeAttribute('details');
  named('value', row).setAttribute('placeholder', choices.length ? '' : example);
  part('choices', row).hidden = choices.length === 0;
  part('picks', row).hidden = !picks;
  const choose = row.querySelector('[data-choice]');
  if (moved || !choose.children.length) offer(choose, choices, '');
}

/** Put what was chosen into the field beside it: after what is there, where there can be several. */
function choose(select) {
  const row = select.closest('[data-row]');
  const value = named('value', row);
  const there = value.value.trim();
  const several = LISTS.includes(named('compare', row).value) && there;
  if (select.value) value.value = several ? `${there}, ${select.value}` : select.value;
  select.value = '';
}

/** Have products be chosen in Shopify's own dialogue. multiple: whether there can be several, or how many. */
async function pick(field, multiple) {
  const ids = field.value.split(',').map((each) => each.trim()).filter(Boolean);
  const selectionIds = ids.map((id) => ({id: `gid://shopify/Product/${id}`}));
  const picked = await shopify.resourcePicker({type: 'product', multiple, selectionIds});
  if (picked) field.value = picked.map(({id}) => id.split('/').at(-1)).join(', ');
  field.dataset.touched = '';
  soon();
}

/** Show what goes with the kind of offer. */
function fitKind() {
  const kind = named('kind').value;
  for (const each of form.querySelectorAll('[data-of]')) each.hidden = each.dataset.of !== kind;
  const as = named('off_as').value;
  part('off').hidden = as === 'shipping';
  named('off').setAttribute('label', as === 'amount' ? _('Amount') : _('Percent'));
  const fills = variables[kind].join(' ');
  form.querySelector('[data-fills]').textContent = fills && _('In your words, these are filled in: %(names)s', {names: fills});
}

function fitGroups() {
  part('join').hidden = itemsOf('groups').length < 2;
}

/** Return the field that the app names: `groups[0].conditions[1].value`, `messages[0].text`, `name`. */
function fieldNamed(path) {
  const steps = [...path.matchAll(/(\w+)\[(\d+)\]\.?/g)];
  const item = steps.reduce((inside, [, name, at]) => inside && itemsOf(name, inside)[Number(at)], form);
  return item && named(path.slice(path.lastIndexOf('.') + 1), item);
}

/** Show what is wrong beside each field; of a field that nobody has been in only once they want to save. */
function showWrong(errors, all) {
  const wrong = new Map(errors.map(({field, message}) => [fieldNamed(field), message]));
  for (const field of form.querySelectorAll('[data-field]')) {
    const message = (all || field.dataset.touched !== undefined) && wrong.get(field);
    if (message) field.setAttribute('error', message);
    else if (field.hasAttribute('error')) field.removeAttribute('error');
  }
  const place = form.querySelector('[data-wrong]');
  const nowhere = errors.filter(({field}) => !fieldNamed(field)).map(({message}) => message);
  const hidden = [...wrong.keys()].some((field) => field?.closest('details'));
  if (all && hidden) form.querySelector('details').open = true;
  const count = errors.length === 1 ? _('One thing is still to be put right.') : _('%(count)s things are still to be put right.', {count: errors.length});
  place.textContent = all && errors.length ? [count, ...nowhere].join(' ') : nowhere.join(' ');
}

function showTold({says, findings, json, chosen, shows = '', preview, guards = []}) {
  const products = named('products');
  products.dataset.hint ??= products.getAttribute('details');
  products.setAttribute('details', chosen || products.dataset.hint);
  if (says) form.querySelector('[data-says]').textContent = says;
  form.dataset.json = json;
  const tones = findings.map(({message, stops}) => element('s-banner', {tone: stops ? 'critical' : 'info', heading: stops ? _('This would never be shown') : _('Good to know')}, element('s-paragraph', {}, message)));
  form.querySelector('[data-findings]').replaceChildren(...tones);
  form.querySelector('[data-shows]').textContent = shows;
  form.querySelector('[data-preview]').textContent = preview?.text ?? _('Shown once everything above is filled in.');
  form.querySelector('[data-whose]').textContent = preview?.whose ?? '';
  form.querySelector('[data-guards]').replaceChildren(...guards.map((each) => element('s-paragraph', {color: 'subdued'}, each)));
}

let latest = 0;

/** Ask the app what it thinks of what is written so far; return whether nothing is wrong. */
async function check(all = false) {
  const turn = ++latest;
  const judged = await call(`${CALLS}/check`, asked());
  if (turn !== latest) return judged.errors.length === 0;
  showTold(judged);
  showWrong(judged.errors, all);
  return judged.errors.length === 0;
}

let typing;

function soon() {
  clearTimeout(typing);
  // A check that fails for want of a connection says nothing: the next one may do better, and saving tells.
  typing = setTimeout(() => void check().catch(() => {}), TYPING_MS);
}

/** Return what a code such as de-AT or de@CH stands for, empty for none that is known. */
function languageName(code) {
  const [language, market] = code.trim().replaceAll('_', '-').split('@');
  const name = (type, of) => new Intl.DisplayNames([document.documentElement.lang], {type, fallback: 'none'}).of(of) ?? '';
  try {
    return [name('language', language), market && name('region', market.toUpperCase())].filter(Boolean).join(' · ');
  } catch {
    return ''; // not a whole code yet
  }
}

function changed({target}) {
  if (!form.contains(target)) return;
  const field = target.closest?.('[data-field]');
  if (field) field.dataset.touched = '';
  if (field?.dataset.field === 'locale') field.parentElement.querySelector('[data-language]').textContent = languageName(field.value);
  soon();
}

function chosen({target}) {
  const select = target.closest?.('s-select');
  if (!select || !form.contains(select)) return;
  if (select.hasAttribute('data-choice')) choose(select);
  const row = select.closest('[data-row]');
  if (row) fitRow(row, select.dataset.field === 'field');
  if (select.dataset.field === 'kind' || select.dataset.field === 'off_as') fitKind();
}

function add(template, place) {
  const made = form.querySelector(`template[data-template="${template}"]`).content.cloneNode(true);
  place.append(made);
  const item = place.lastElementChild;
  for (const row of item.matches('[data-row]') ? [item] : item.querySelectorAll('[data-row]')) fitRow(row, true);
  item.querySelector('[data-field]').focus();
  soon();
}

/** Take an item away; who does it by the keyboard goes on from what stands beside it. */
function remove(item) {
  const near = item.nextElementSibling ?? item.previousElementSibling ?? item.parentElement.parentElement;
  item.remove();
  near.querySelector('[data-field], s-button')?.focus();
  soon();
}

/** Save what is written and return that the next page comes; where something is wrong, lead to the first of it. */
async function save(starting) {
  clearTimeout(typing);
  if (!(await check(true))) {
    form.querySelector('[error]')?.focus();
    return false;
  }
  const {id, takes_off: takesOff} = await call(`${CALLS}/keep`, asked());
  await settle();
  let says = _('Saved');
  if (starting) {
    try {
      says = await start(id, takesOff);
    } catch (error) {
      fail(new Error(_('Saved, and not started. %(why)s', {why: error.message})));
      location.assign(`${location.pathname}${form.dataset.back.replace(/^[^?]*/, '')}&id=${encodeURIComponent(id)}`);
      return true;
    }
  }
  shopify.toast.show(says);
  location.assign(form.dataset.back);
  return true;
}

const settle = form && guard(form, '[data-do=save]:not([data-start])');
let saving = false;

Object.assign(ACTIONS, {
  'add-row': (button) => add('row', list('conditions', button.closest('[data-group]'))),
  'remove-row': (button) => remove(button.closest('[data-item]')),
  'add-group'() {
    add('group', list('groups'));
    fitGroups();
  },
  'remove-group'(button) {
    remove(button.closest('[data-group]'));
    fitGroups();
  },
  async leave() {
    await settle();
    location.assign(form.dataset.back);
  },
  'add-message'() {
    add('message', list('messages'));
    const [first, ...more] = itemsOf('messages');
    const {value} = form.querySelector('[data-locale]');
    if (more.length || named('locale', first).value) return;
    named('locale', first).value = value;
    first.querySelector('[data-language]').textContent = languageName(value);
  },
  'as-json'(button) {
    const json = part('json');
    // The conditions stay as they were: what was changed in the JSON since is lost with it.
    const loses = !json.hidden && named('rule').value !== button.dataset.opened;
    if (loses && !isMeant(button, _('Drop what the JSON says'))) return;
    json.hidden = !json.hidden;
    part('rows').hidden = !json.hidden;
    if (!json.hidden && form.dataset.json) named('rule').value = form.dataset.json;
    button.dataset.opened = named('rule').value;
    button.textContent = json.hidden ? _('Write it as JSON') : _('Write it as conditions');
    soon();
  },
  async 'pick-products'() {
    await pick(named('products'), 3);
  },
  async 'pick-for-row'(button) {
    const row = button.closest('[data-row]');
    await pick(named('value', row), LISTS.includes(named('compare', row).value));
  },
  async 'dry-run'() {
    if (!(await check(true))) return form.querySelector('[error]')?.focus();
    const {says, more} = await call(`${CALLS}/dry-run`, {...asked(), last: Number(form.querySelector('[data-last]').value)});
    const place = form.querySelector('[data-tried]');
    place.hidden = false;
    place.replaceChildren(element('s-text', {type: 'strong'}, says), ...more.map((each) => element('s-paragraph', {}, each)));
  },
  async save({dataset}) {
    if (saving) return; // also until the next page is there: pressed again, a new campaign would be made twice
    saving = true;
    try {
      saving = await save(dataset.start === 'true');
    } catch (error) {
      saving = false;
      throw error;
    }
  },
});

if (form) {
  document.addEventListener('input', changed);
  document.addEventListener('change', chosen);
  document.addEventListener('change', changed);
  form.addEventListener('submit', (event) => {
    event.preventDefault(); // Enter in a field; what is written is saved by its button
  });
  for (const row of form.querySelectorAll('[data-row]')) fitRow(row);
  fitKind();
  void check().catch(() => {});
}
