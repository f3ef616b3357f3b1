/** The storefront's script: events for pixels, the cart without a page load, the privacy banner. */
import {watchBanner} from './banner.ts';
import {readBoot, type StandardEvent} from './boot.ts';
import {VisitorPrivacy} from './consent.ts';
import {Pixels} from './pixels.ts';

interface CartChanged {
  readonly count: number;
  readonly message: string;
  readonly html: string;
  readonly events: readonly StandardEvent[];
}

const boot = readBoot();
const visitor = new VisitorPrivacy(boot.privacy);
const pixels = new Pixels(boot);

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

function show({count, message, html}: CartChanged): void {
  for (const badge of document.querySelectorAll('[data-cart-count]')) {
    badge.textContent = count ? String(count) : '';
  }
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

publishAll(boot.events);
visitor.watch((privacy) => pixels.follow(privacy));
watchBanner(visitor);
