// The page of other systems: what leaves is switched on and off, tried out and sent again; keys are made.

import {ACTIONS, call, fail} from './admin.js';
import {_} from './language.js';

const CALLS = '/admin/api/elsewhere';
const GRANT_MS = 10_000;
const POLL_MS = 500;

const switches = document.querySelector('[data-switches]');

/** Ask the merchant for the permission; say whether it was given. Shopify's own dialogue asks. */
async function permitted() {
  if (switches.dataset.granted === 'true') return true;
  const {result} = await shopify.scopes.request([switches.dataset.scope]);
  return result === 'granted-all';
}

/** Wait until Shopify has told the app too, which is a webhook and takes a moment. */
async function heard() {
  const until = Date.now() + GRANT_MS;
  while (Date.now() < until && !(await call(`${CALLS}/write-back`)).granted) {
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

const DECLINED = _('Nothing was changed: without the permission to edit customers Tillwise can write nothing.');

async function allowed() {
  if (await permitted()) return true;
  shopify.toast.show(DECLINED, {isError: true});
  return false;
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Show a secret where it was asked for: it is gone with the page. */
function tell(place, says, secret) {
  const code = element('code', {class: 'secret'}, secret);
  const done = element('s-button', {'data-do': 'noted', accessibilityLabel: _('I have kept the secret')}, _('I have kept it'));
  place.replaceChildren(
    element('s-banner', {tone: 'success', heading: says},
      element('s-paragraph', {}, _('It is shown this once and kept nowhere that could show it again.')), code, done),
  );
}

const FORMS = {
  async webhook(form, place) {
    const {secret} = await call(`${CALLS}/webhook`, {url: form.querySelector('[name=url]').value});
    tell(place, _('The secret that messages are signed with'), secret);
  },
  async key(form, place) {
    const {secret} = await call(`${CALLS}/keys`, {label: form.querySelector('[name=label]').value});
    tell(place, _('The new key'), secret);
  },
};

document.addEventListener('submit', async (event) => {
  const form = event.target.closest('[data-keep]');
  if (!form) return;
  event.preventDefault();
  const field = form.querySelector('s-text-field');
  const button = form.querySelector('s-button[type=submit]');
  button.setAttribute('disabled', '');
  field.removeAttribute('error');
  try {
    await FORMS[form.dataset.keep](form, form.parentElement.querySelector('[data-told]'));
  } catch (error) {
    if (error.field) field.setAttribute('error', error.message);
    else fail(error);
  } finally {
    button.removeAttribute('disabled');
  }
});

Object.assign(ACTIONS, {
  async switch({dataset}) {
    const on = dataset.on !== 'true';
    if (on && !(await allowed())) return;
    const wanted = {tags: switches.dataset.tags === 'true', metafields: switches.dataset.metafields === 'true'};
    await call(`${CALLS}/write-back`, {...wanted, [dataset.name]: on});
    if (on) await heard();
    location.reload();
  },
  async allow() {
    if (!(await allowed())) return;
    await heard();
    location.reload();
  },
  async 'try-webhook'() {
    const {taken, says} = await call(`${CALLS}/webhook/test`, {});
    shopify.toast.show(taken ? _('The test was taken') : _('The test was not taken: %(why)s', {why: says}), {isError: !taken});
    location.reload();
  },
  async 'drop-webhook'() {
    await call(`${CALLS}/webhook/off`, {});
    location.reload();
  },
  async 'send-again'() {
    const {again} = await call(`${CALLS}/webhook/again`, {});
    shopify.toast.show(_('Sent again: %(count)s', {count: again}));
    location.reload();
  },
  async 'drop-key'({dataset}) {
    await call(`${CALLS}/keys/revoke`, {key_id: dataset.key});
    location.reload();
  },
  noted: () => location.reload(),
});
