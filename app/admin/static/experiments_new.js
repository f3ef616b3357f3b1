// The page on which an experiment is planned: only the fields that what is tried needs, and how long it takes.

import {ACTIONS, call, fail} from './admin.js';
import {_} from './language.js';
import {guard} from './unsaved.js';

const CALLS = '/admin/api/experiments';
const TYPING_MS = 400;

const form = document.querySelector('[data-plan]');
const fieldNamed = (name) => form.querySelector(`[data-field="${CSS.escape(name)}"]`);
const read = () => Object.fromEntries([...form.querySelectorAll('[data-field]')].map((field) => [field.dataset.field, field.value ?? '']));

/** Show the fields that belong to what is tried, and no others. */
function showFields() {
  const tries = fieldNamed('tries').value;
  for (const part of form.querySelectorAll('[data-for]')) part.hidden = !part.dataset.for.split(' ').includes(tries);
}

/** Say what a campaign's schedule does to it; nothing where it has none. */
function showWhen(says = '') {
  const told = form.querySelector('[data-when]');
  told.querySelector('span').textContent = says;
  told.hidden = !says;
}

/** Show what is wrong, each beside its field, and lead to the first. */
function show(error) {
  for (const field of form.querySelectorAll('[error]')) field.removeAttribute('error');
  const wrong = error?.wrong ?? (error ? [{field: error.field, error: error.message}] : []);
  const placed = wrong.filter(({field}) => field && fieldNamed(field));
  for (const {field, error: says} of placed) fieldNamed(field).setAttribute('error', says);
  if (error?.wrong) form.querySelector('[error]')?.focus();
  form.querySelector('[data-says]').textContent = wrong.map(({error: says}) => says).join(' ');
}

let latest = 0;

/** Ask how long it takes to find what is to be found. */
async function plan() {
  const turn = ++latest;
  try {
    const {says} = await call(`${CALLS}/plan`, {form: read()});
    if (turn !== latest) return;
    show();
    form.querySelector('[data-takes]').textContent = says.takes;
    form.querySelector('[data-from]').textContent = says.from;
    showWhen(says.when);
  } catch (error) {
    if (turn !== latest) return;
    show(error);
    form.querySelector('[data-takes]').textContent = '–';
    form.querySelector('[data-from]').textContent = '';
    showWhen();
  }
}

/** Keep what is typed as a draft. */
async function keep() {
  latest += 1;
  show();
  const made = await call(`${CALLS}/keep`, {form: read()});
  await settle();
  return made;
}

const settle = guard(form, '[data-do=save-draft]');
const open = ({id}) => location.assign(`${form.dataset.back}&id=${encodeURIComponent(id)}`);

// Also until the next page is there: what is pressed again would be kept twice.
let saving = false;
let typing;

function changed() {
  showFields();
  clearTimeout(typing);
  typing = setTimeout(() => void plan(), TYPING_MS);
}

form.addEventListener('input', changed);
form.addEventListener('change', changed);

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('s-button[type=submit]');
  if (saving) return;
  saving = true;
  button.setAttribute('disabled', '');
  let made;
  try {
    made = await keep();
    await call(`${CALLS}/start`, {id: made.id, share: made.share});
    shopify.toast.show(_('Started: shoppers come into it from now on'));
    open(made);
  } catch (error) {
    show(error);
    fail(error);
    if (made) open(made); // it is kept as a draft, where it can be started again
    else saving = false;
  } finally {
    button.removeAttribute('disabled');
  }
});

Object.assign(ACTIONS, {
  async 'save-draft'() {
    if (saving) return;
    saving = true;
    try {
      open(await keep());
    } catch (error) {
      saving = false;
      show(error);
      throw error;
    }
  },
});

void customElements.whenDefined('s-select').then(() => {
  showFields();
  void plan();
});
