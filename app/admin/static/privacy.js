// The privacy pages: limits are saved, a person is looked up, files are handed out.

import {ACTIONS, call, callForFile, download, fail, isMeant} from './admin.js';
import {_} from './language.js';
import {guard} from './unsaved.js';

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function table(columns, rows) {
  const header = element('s-table-header-row', {}, ...columns.map(([title, slot]) => element('s-table-header', {listSlot: slot}, title)));
  const body = rows.map((row) => element('s-table-row', {}, ...row.map((cell) => element('s-table-cell', {}, cell))));
  return element('s-table', {}, header, element('s-table-body', {}, ...body));
}

function historyTable(history) {
  return table([[_('When'), 'primary'], [_('Where'), 'labeled'], [_('Said'), 'labeled'], [_('Stands after it'), 'labeled']], history);
}

function buttons(...each) {
  return element('s-stack', {direction: 'inline', gap: 'small-300'}, ...each);
}

/** A button that saves a file which is here already. */
function saver(label, name, text, type) {
  const button = element('s-button', {}, label);
  button.addEventListener('click', () => download({name, file: new Blob([text], {type})}));
  return button;
}

/** A button that has the app make a file of all that is held of somebody. */
function exporter(label, who, format) {
  return element('s-button', {'data-do': 'export', 'data-who': who, 'data-format': format}, label);
}

function shownHistory({history, json, csv}) {
  if (!history.length) {
    return [element('s-text', {}, _('Nothing about their consent is written down: they never gave an answer that may be kept.'))];
  }
  return [
    element('s-heading', {}, _('Consent history, oldest first: %(count)s', {count: history.length})),
    historyTable(history),
    buttons(
      saver(_('Save history as JSON'), 'consent-history.json', json, 'application/json'),
      saver(_('Save history as CSV'), 'consent-history.csv', csv, 'text/csv')),
  ];
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

function shownHeld(held, who) {
  if (!held.length) return [element('s-text', {}, _('Nothing is held about them.'))];
  return [
    element('s-heading', {}, _('What is held about them')),
    table([[_('What'), 'primary'], [_('Entries'), 'labeled']], held.map(({says, count}) => [sentence(says), String(count)])),
    buttons(
      exporter(_('Save everything as JSON'), who, 'json'),
      exporter(_('Save everything as CSV'), who, 'csv')),
  ];
}

async function lookUp(form, answer) {
  const who = form.querySelector('[name=who]').value.trim();
  const found = await call('/admin/api/privacy/person', {who});
  answer.replaceChildren(element('div', {class: 'answer'}, ...shownHistory(found), ...shownHeld(found.held, who)));
}

const limitsOf = (form) => [...form.querySelectorAll('s-number-field')];

/** Return whether the form has a shorter limit: what that deletes can't be had back. */
const shortens = (form) => limitsOf(form).some((field) => field.value >= 1 && Number(field.value) < Number(field.getAttribute('value')));

const limitsForm = document.querySelector('[data-submit=limits]');
const settle = limitsForm && guard(limitsForm, 's-button[type=submit]');

async function keepLimits(form, answer) {
  const fields = limitsOf(form);
  const limits = {};
  for (const field of fields) {
    const days = Number(field.value);
    limits[field.getAttribute('name')] = field.value.trim() === '' || Number.isNaN(days) ? field.value : days;
  }
  const {clearing} = await call('/admin/api/privacy/limits', {limits});
  await settle();
  answer.textContent = clearing ? _('Saved. What is older is being deleted.') : _('Saved. What is older is deleted once the worker can be reached.');
  shopify.toast.show(_('Limits saved'));
}

/** Hand out a file that the app makes: the server says what it is called. */
async function handOut(path, body) {
  const {name, file} = await callForFile(path, body);
  download({name, file});
  shopify.toast.show(_('%(name)s saved', {name}));
}

const FORMS = {'look-up': lookUp, limits: keepLimits};

Object.assign(ACTIONS, {
  export: ({dataset}) => handOut('/admin/api/privacy/export', {who: dataset.who, format: dataset.format}),
  async answer({dataset}) {
    await handOut('/admin/api/privacy/answer', {request_id: dataset.request});
    location.reload(); // the request is done now, and has a receipt
  },
  receipt: ({dataset}) => handOut('/admin/api/privacy/receipt', {request_id: dataset.request}),
});

document.addEventListener('submit', async (event) => {
  const form = event.target.closest('[data-submit]');
  if (!form) return;
  event.preventDefault();
  const answer = form.parentElement.querySelector('[data-answer]');
  const button = form.querySelector('s-button');
  if (form.dataset.submit === 'limits' && shortens(form) && !isMeant(button, _('Delete what is older now, for good'))) return;
  answer.textContent = '';
  for (const wrong of form.querySelectorAll('[error]')) wrong.removeAttribute('error');
  button.setAttribute('disabled', '');
  try {
    await FORMS[form.dataset.submit](form, answer);
  } catch (error) {
    const field = error.field && form.querySelector(`[name="${CSS.escape(error.field)}"]`);
    if (field) field.setAttribute('error', error.message);
    fail(error);
  } finally {
    button.removeAttribute('disabled');
  }
});
