// The campaigns pages: campaigns started, paused, stopped and moved; the editor is in campaigns_edit.js.

import {ACTIONS, call} from './admin.js';
import {_} from './language.js';

const CALLS = '/admin/api/campaigns';
const GRANT_MS = 10_000;
const POLL_MS = 500;
const DONE = {
  running: _('Started: checkouts show it from now on'),
  scheduled: _('Started: checkouts show it once its time has come'),
  paused: _('Paused'),
  stopped: _('Stopped'),
};

/** Wait until Shopify has told the app too, which is a webhook and takes a moment. */
async function heard() {
  const until = Date.now() + GRANT_MS;
  while (Date.now() < until) {
    if ((await call(`${CALLS}/granted`)).granted) return;
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

/** Ask the merchant for the permission to make codes, in Shopify's own dialogue; say whether they may be made. */
export async function allowed() {
  const {granted, scope} = document.querySelector('[data-scope]').dataset;
  if (granted === 'true') return true;
  const {result} = await shopify.scopes.request([scope]);
  if (result !== 'granted-all') return false;
  await heard();
  return true;
}

/** Start a campaign; say what came of it. Without the permission it runs, and gives out no code. */
export async function start(id, takesOff) {
  const may = !takesOff || (await allowed());
  const {standing} = await call(`${CALLS}/status`, {id, status: 'running'});
  return may ? DONE[standing] : _('Started, but without the permission to make discount codes nobody gets one.');
}

const campaignOf = (button) => button.closest('[data-campaign]').dataset;

Object.assign(ACTIONS, {
  async allow() {
    if (await allowed()) location.reload();
    else shopify.toast.show(_('Nothing was changed: without the permission Tillwise can make no codes.'), {isError: true});
  },
  async status(button) {
    const {campaign, takesOff} = campaignOf(button);
    const {status} = button.dataset;
    if (status === 'running') {
      shopify.toast.show(await start(campaign, takesOff === 'true'));
    } else {
      await call(`${CALLS}/status`, {id: campaign, status});
      shopify.toast.show(DONE[status]);
    }
    location.reload();
  },
  async 'remove-campaign'(button) {
    await call(`${CALLS}/remove`, {id: campaignOf(button).campaign});
    shopify.toast.show(_('Removed'));
    location.reload();
  },
  async move(button) {
    const ids = order();
    const at = ids.indexOf(campaignOf(button).campaign);
    const by = Number(button.dataset.by);
    sessionStorage.setItem('moved', `${ids[at]} ${by}`);
    await place(ids[at], ids[at + (by < 0 ? -1 : 2)] ?? '');
  },
});

/** The campaigns in the order in which they are looked at. */
const order = () => [...document.querySelectorAll('[data-campaign]')].map(({dataset}) => dataset.campaign);

/** Have a campaign looked at right before another one; before none: last. */
async function place(id, before) {
  await call(`${CALLS}/place`, {id, before});
  location.reload();
}

let moving = null;

/** Return where what is dragged would go: the section under the pointer, and whether it goes after it. */
function over({target, clientY}) {
  const section = moving && target.closest('s-section');
  if (!section || section === moving || !section.querySelector('[data-campaign]')) return null;
  const {top, height} = section.getBoundingClientRect();
  return {section, after: clientY > top + height / 2};
}

function mark(found) {
  for (const each of document.querySelectorAll('.goes-before, .goes-after')) each.classList.remove('goes-before', 'goes-after');
  found?.section.classList.add(found.after ? 'goes-after' : 'goes-before');
}

const ownId = (section) => section.querySelector('[data-campaign]').dataset.campaign;

document.addEventListener('dragstart', (event) => {
  if (!event.target.closest?.('.grip')) return;
  moving = event.target.closest('s-section');
  moving.classList.add('moving');
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setDragImage(moving, 0, 0);
});

document.addEventListener('dragover', (event) => {
  const found = over(event);
  mark(found);
  if (found) event.preventDefault();
});

document.addEventListener('drop', (event) => {
  const found = over(event);
  if (!found) return;
  event.preventDefault();
  const ids = order();
  const before = found.after ? ids[ids.indexOf(ownId(found.section)) + 1] ?? '' : ownId(found.section);
  const id = ownId(moving);
  if (before !== id) void place(id, before).catch(({message}) => shopify.toast.show(message, {isError: true}));
});

document.addEventListener('dragend', () => {
  mark(null);
  moving?.classList.remove('moving');
  moving = null;
});

// Who moves a campaign by the keyboard goes on from the button they pressed.
const [moved, by] = (sessionStorage.getItem('moved') ?? '').split(' ');
if (moved) {
  sessionStorage.removeItem('moved');
  const campaign = document.querySelector(`[data-campaign="${CSS.escape(moved)}"]`);
  const button = campaign?.querySelector(`[data-by="${by}"]`) ?? campaign?.querySelector('[data-by]');
  void customElements.whenDefined('s-button').then(() => button?.focus());
}

for (const grip of document.querySelectorAll('.grip')) grip.draggable = true;
