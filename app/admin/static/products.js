// The products page: a wish of a product is kept as soon as it is chosen.

import {call, fail} from './admin.js';
import {_} from './language.js';

document.addEventListener('change', async (event) => {
  const field = event.target.closest?.('[data-wish]');
  if (!field) return;
  const {product} = field.closest('[data-product]').dataset;
  try {
    const {title} = await call('/admin/api/products/wish', {product_id: Number(product), wish: field.value});
    field.dataset.wish = field.value;
    shopify.toast.show(_('%(title)s: kept, from the next answer on', {title}));
  } catch (error) {
    field.value = field.dataset.wish;
    fail(error);
  }
});
