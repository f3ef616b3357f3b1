/** The storefront's script: events for pixels, the cart without a page load, the privacy banner. */
import {ACTIONS} from './actions.ts';
import {watchAjaxCart} from './ajax-cart.ts';
import {watchBanner} from './banner.ts';
import {readBoot, type PageBoot, type StandardEvent} from './boot.ts';
import {VisitorPrivacy} from './consent.ts';
import {Pixels} from './pixels.ts';
import {giveShopify} from './window-shopify.ts';

interface CartChanged {
  readonly count: number;
  readonly message: string;
  readonly html: string;
  readonly events: readonly StandardEvent[];
}

const boot = readBoot();
const visitor = new VisitorPrivacy(boot.privacy);
const pixels = new Pixels(boot);

function currencyOf({init}: PageBoot): string {
  return (init.shop as {paymentSettings: {currencyCode: string}}).paymentSettings.currencyCode;
}

function publishAll(events: readonly StandardEvent[]): void {
  for (const {name, data} of events) pixels.publish(name, data);
}

function announce(message: string): void {
  const place = document.querySelector<HTMLElement>('[data-toast]');
  if (!place) return;
  place.textContent = message;
  place.classList.add('shown');
  setTimeout(() => place.classList.remove('shown'), 2600);
}

function showCount(count: number): void {
  for (const badge of document.querySelectorAll('[data-cart-count]')) {
    badge.textContent = count ? String(count) : '';
  }
}

function show({count, message, html}: CartChanged): void {
  showCount(count);
  const cart = document.querySelector('[data-cart]');
  if (cart) cart.innerHTML = html;
  announce(message);
}

/** Send a cart form in the background; with no script it is an ordinary form. */
async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  const body = new URLSearchParams(new FormData(form, submitter) as unknown as Record<string, string>);
  const answer = await fetch(form.action, {method: 'POST', body, headers: {Accept: 'application/json'}});
  const changed = (await answer.json()) as CartChanged;
  show(changed);
  publishAll(changed.events);
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches('[data-cart-form]')) return;
  event.preventDefault();
  void send(form, event.submitter);
});

/** The product's picture, whole or closer. */
document.querySelector('.thumbnails')?.addEventListener('click', ({target}) => {
  const pressed = (target as Element).closest('button');
  if (!pressed) return;
  for (const button of document.querySelectorAll('.thumbnails button')) {
    button.setAttribute('aria-pressed', String(button === pressed));
  }
  document.querySelector('[data-gallery]')?.classList.toggle('closer', 'closer' in pressed.dataset);
});

/** As the themes of today do: what an app changes by Shopify's action is seen in the page. */
ACTIONS.updateCart.configure({
  handler: async (change) => {
    const changed = await change();
    showCount(changed.cart.totalQuantity);
    return changed;
  },
});

giveShopify(visitor, pixels);
watchAjaxCart(pixels, currencyOf(boot));
publishAll(boot.events);
visitor.watch((privacy) => pixels.follow(privacy));
watchBanner(visitor);
