// The settings page: the shop's language, what leaves by itself, and its data as one file.

import {ACTIONS, call, callForFile, download, fail} from './admin.js';
import {_} from './language.js';

const CALLS = '/admin/api/settings';

Object.assign(ACTIONS, {
  async 'switch-way'({dataset}) {
    await call(`${CALLS}/way`, {way: dataset.way, on: dataset.on !== 'true'});
    location.reload();
  },
  async 'export-shop'() {
    const days = Number(document.querySelector('[data-days]').value);
    shopify.toast.show(_('The archive is being made'));
    download(await callForFile(`${CALLS}/export`, {days}));
  },
});

const language = document.querySelector('[data-language]');
language.addEventListener('change', async () => {
  try {
    await call(`${CALLS}/language`, {locale: language.value});
    shopify.toast.show(_('Kept, from the next answer on'));
  } catch (error) {
    fail(error);
    location.reload();
  }
});
