// The campaigns pages: campaigns started, paused, stopped and moved; the editor is in campaigns_edit.js.

import {ACTIONS, call} from './admin.js';

const CALLS = '/admin/api/campaigns';
const GRANT_MS = 10_000;
const POLL_MS = 500;
const DONE = {running: 'Started: checkouts show it from now on', paused: 'Paused', stopped: 'Stopped'};

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
export async function start(id, needsCode) {
  const may = !needsCode || (await allowed());
  await call(`${CALLS}/status`, {id, status: 'running'});
  return may ? DONE.running : 'Started, but without the permission to make discount codes nobody gets one.';
}

const campaignOf = (button) => button.closest('[data-campaign]').dataset;

Object.assign(ACTIONS, {
  async allow() {
    if (await allowed()) location.reload();
    else shopify.toast.show('Nothing was changed: without the permission Tillwise can make no codes.', {isError: true});
  },
  async status(button) {
    const {campaign, needsCode} = campaignOf(button);
    const {status} = button.dataset;
    if (status === 'running') {
      shopify.toast.show(await start(campaign, needsCode === 'true'));
    } else {
      await call(`${CALLS}/status`, {id: campaign, status});
      shopify.toast.show(DONE[status]);
    }
    location.reload();
  },
  async move(button) {
    const {campaign} = campaignOf(button);
    await call(`${CALLS}/move`, {id: campaign, up: button.dataset.up === 'true'});
    sessionStorage.setItem('moved', `${campaign} ${button.dataset.up}`);
    location.reload();
  },
});

// Who moves a campaign by the keyboard goes on from the button they pressed.
const [moved, up] = (sessionStorage.getItem('moved') ?? '').split(' ');
if (moved) {
  sessionStorage.removeItem('moved');
  const campaign = document.querySelector(`[data-campaign="${CSS.escape(moved)}"]`);
  const button = campaign?.querySelector(`[data-up="${up}"]`) ?? campaign?.querySelector('[data-up]');
  void customElements.whenDefined('s-button').then(() => button?.focus());
}
