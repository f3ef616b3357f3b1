// The experiments pages: one is started, let grow, stopped, kept for everybody, and taken away as a table, as
// what offers are credited with is.

import {ACTIONS, call, callForFile, download} from './admin.js';
import {_} from './language.js';

const CALLS = '/admin/api/experiments';

const experimentOf = (button) => button.closest('[data-experiment]').dataset;

Object.assign(ACTIONS, {
  async 'start-experiment'(button) {
    await call(`${CALLS}/start`, {id: experimentOf(button).experiment, share: Number(button.dataset.share)});
    shopify.toast.show(_('Started: shoppers come into it from now on'));
    location.reload();
  },
  async 'stop-experiment'(button) {
    await call(`${CALLS}/stop`, {id: experimentOf(button).experiment});
    shopify.toast.show(_('Stopped: everybody is served as before'));
    location.reload();
  },
  async 'keep-arm'(button) {
    const {experiment, version} = experimentOf(button);
    await call(`${CALLS}/conclude`, {id: experiment, version: Number(version), arm: button.dataset.arm});
    shopify.toast.show(_('Kept: everybody is served so from now on'));
    location.reload();
  },
  async 'export-experiment'(button) {
    const {experiment, version} = experimentOf(button);
    download(await callForFile(`${CALLS}/export`, {id: experiment, version}));
  },
  async 'export-credited'({dataset}) {
    const month = document.querySelector('[data-month]').value;
    download(await callForFile(`${CALLS}/credited`, {month, model: dataset.model}));
  },
});
