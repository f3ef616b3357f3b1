// A decision's page: it is made again, and what comes out is said beside the button.

import {ACTIONS, call} from './admin.js';

Object.assign(ACTIONS, {
  async replay(button) {
    const place = button.closest('[data-decision]');
    const says = place.querySelector('[data-says]');
    says.textContent = '';
    try {
      const told = await call('/admin/api/decisions/replay', {id: place.dataset.decision});
      says.textContent = told.says;
    } catch (error) {
      says.textContent = error.message;
      throw error;
    }
  },
});
