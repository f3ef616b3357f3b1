// The dashboard's few moving parts. Every call proves who asks with a fresh session token.

import {_} from './language.js';

const POLL_MS = 2000;
const SURE_MS = 10_000;
const KEPT_MS = 10_000; // Safari reads a file only some time after the click

/** Return the app's answer to a call of the shop's staff; what it refuses is thrown in its own words. */
async function asked(path, body) {
  const headers = {Authorization: `Bearer ${await shopify.idToken()}`, 'Accept-Language': document.documentElement.lang};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await fetch(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.headers.get('X-Tillwise-Later')) shopify.toast.show(_('Saved. Checkouts follow within a few minutes.'));
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(told.error ?? ''), {field: told.field, wrong: told.wrong});
}

export async function call(path, body) {
  return (await asked(path, body)).json();
}

/** Return a file and its name. */
export async function callForFile(path, body) {
  const answer = await asked(path, body);
  const [, name] = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition'));
  return {name, file: await answer.blob()};
}

/** Hand a file to the merchant under its name. */
export function download({name, file}) {
  const address = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}

function showImport(row, {percent, says}) {
  const bar = row.querySelector('progress');
  row.querySelector('[data-says]').textContent = says;
  if (percent === null) bar.removeAttribute('value');
  else bar.value = percent;
}

/** Keep the bars up to date until everything is in, then show the page that comes after. */
async function followImports(section) {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, POLL_MS));
    if (document.hidden) continue;
    let news;
    try {
      news = await call('/admin/api/progress');
    } catch {
      continue; // the next try may do better
    }
    for (const one of news.imports) {
      const row = section.querySelector(`[data-kind="${one.kind}"]`);
      // Shopify knows how many there are only once it has prepared them.
      showImport(row, one.status === 'waiting' ? {...one, percent: 0} : one);
    }
    if (news.done) return location.reload();
  }
}

async function exclude(button) {
  const row = button.closest('[data-product]');
  const wish = button.dataset.excluded !== 'true';
  const {title, excluded} = await call('/admin/api/exclusions', {
    product_id: Number(row.dataset.product),
    excluded: wish,
  });
  const state = row.querySelector('[data-state]');
  state.textContent = excluded ? _('Excluded') : _('Allowed');
  state.setAttribute('tone', excluded ? 'neutral' : 'success');
  button.dataset.excluded = String(excluded);
  button.textContent = excluded ? _('Include') : _('Exclude');
  const label = excluded ? _('Include %(title)s', {title}) : _('Exclude %(title)s', {title});
  button.setAttribute('accessibilityLabel', label);
  const count = document.querySelector('[data-excluded-count]');
  count.textContent = String(Number(count.textContent) + (excluded ? 1 : -1));
  shopify.toast.show(excluded ? _('%(title)s is no longer offered', {title}) : _('%(title)s may be offered again', {title}));
}

async function importAgain() {
  await call('/admin/api/import', {});
  shopify.toast.show(_('The import goes on'));
}

async function pause() {
  await call('/admin/api/pause', {});
  shopify.toast.show(_('Shoppers see nothing of Tillwise now'));
  location.reload();
}

async function goOn() {
  await call('/admin/api/go-on', {});
  shopify.toast.show(_('Shoppers see Tillwise again'));
  location.reload();
}

// What buttons do, by their `data-do`; other pages' scripts add theirs.
export const ACTIONS = {exclude, import: importAgain, pause, 'go-on': goOn};

/** Say what went wrong in the app's own words, where it had any. */
export function fail(error) {
  shopify.toast.show(error.message || _('That did not work. Try again in a moment.'), {isError: true});
}

let clicks = 0; // of the press under way, as far as it is one of a mouse: 2 is a double click's second
document.addEventListener('click', ({detail}) => { clicks = detail; }, true);
document.addEventListener('keydown', () => { clicks = 0; }, true);

function calm(button) {
  button.textContent = button.dataset.label;
  delete button.dataset.asked;
}

/** Return whether a press is to do what it says: the first one on what can't be taken back only asks. */
export function isMeant(button, sure = button.dataset.sure) {
  if (!sure) return true;
  if (button.dataset.asked !== undefined) {
    if (clicks > 1) return false; // a double click's second is no answer
    calm(button);
    return true;
  }
  const asked = String(performance.now());
  Object.assign(button.dataset, {asked, label: button.textContent});
  button.textContent = sure;
  shopify.toast.show(sure);
  setTimeout(() => {
    if (button.dataset.asked === asked) calm(button);
  }, SURE_MS);
  return false;
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-do]');
  if (!button || button.hasAttribute('disabled') || !isMeant(button)) return;
  button.setAttribute('disabled', '');
  try {
    await ACTIONS[button.dataset.do](button);
  } catch (error) {
    fail(error);
  } finally {
    button.removeAttribute('disabled');
    if (clicks === 0) done = {...placeOf(button), at_ms: Date.now()};
  }
});

// Who does something by the keyboard that shows the page anew goes on from where they were, not from its top.
const RELOADS_MS = 1000;
let done = null;

const buttonsIn = (section) =>
  [...document.querySelectorAll('[data-do]')].filter((each) => (each.closest('s-section')?.getAttribute('heading') ?? '') === section);

function placeOf(button) {
  const section = button.closest('s-section')?.getAttribute('heading') ?? '';
  return {page: location.pathname, section, at: buttonsIn(section).indexOf(button)};
}

/** Return what the browser kept of the page before, in a frame that may keep nothing: null. */
function taken(name) {
  try {
    const kept = sessionStorage.getItem(name);
    sessionStorage.removeItem(name);
    return JSON.parse(kept);
  } catch {
    return null;
  }
}

addEventListener('pagehide', () => {
  if (!done || Date.now() - done.at_ms > RELOADS_MS) return;
  try {
    sessionStorage.setItem('pressed', JSON.stringify(done));
  } catch {
    // Then the page begins at its top.
  }
});

const pressed = taken('pressed');
if (pressed?.page === location.pathname) {
  const there = buttonsIn(pressed.section);
  void customElements.whenDefined('s-button').then(() => (there[pressed.at] ?? there.at(-1))?.focus());
}

const section = document.querySelector('[data-imports]');
if (section) void followImports(section);
