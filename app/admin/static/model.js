// The model's page: a training asked for and followed, and one click back to a version that served before.

import {ACTIONS, call} from './admin.js';
import {_} from './language.js';

const POLL_MS = 2000;

const STAGES = {
  reading: _('Reading orders'),
  choosing: _('Choosing'),
  'learning to test': _('Learning, to be tested'),
  testing: _('Testing on later orders'),
  'learning to serve': _('Learning from all orders'),
  'going on': _('Going on with new orders'),
};
const OUTCOMES = {
  published: _('Done: the new version is in use'),
  rejected: _('Done: the new version was not good enough, the other one stays'),
  failed: _('The training failed; what served still does'),
};

function words({stage, done, total}) {
  const says = STAGES[stage] ?? _('Waiting for the worker');
  return total > 1 ? _('%(what)s, %(done)s of %(total)s', {what: says, done, total}) : says;
}

/** Say how far the training is until it has come to its end, then show what came of it. */
async function follow(says) {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, POLL_MS));
    if (document.hidden) continue;
    let news;
    try {
      news = await call('/admin/api/model/progress');
    } catch {
      continue; // the next try may do better
    }
    const outcome = OUTCOMES[news.stage];
    says.textContent = outcome ?? words(news);
    if (outcome) return news.stage === 'failed' ? undefined : location.reload();
  }
}

Object.assign(ACTIONS, {
  async 'train-now'(button) {
    await call('/admin/api/model/train', {});
    shopify.toast.show(_('A training was asked for'));
    await follow(button.parentElement.querySelector('[data-stage]'));
  },
  async 'serve-again'({dataset}) {
    const {version} = await call('/admin/api/model/serve', {version: dataset.version});
    shopify.toast.show(_('%(version)s is in use again', {version}));
    location.reload();
  },
});
