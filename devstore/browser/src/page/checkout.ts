/** The checkout's and the thank-you page's script: extensions, changes, events, Pay now. */
import type {Changed, CheckoutState, Result} from '../contract.ts';
import type {Said} from '../privacy.ts';
import {watchBanner} from './banner.ts';
import {readBoot} from './boot.ts';
import {VisitorPrivacy} from './consent.ts';
import {Extensions} from './extensions.ts';
import {Pixels} from './pixels.ts';

const boot = readBoot();
const {checkout} = boot;
if (!checkout) throw new Error('the page carries no checkout');
const token = checkout.state.checkoutToken;
const visitor = new VisitorPrivacy(boot.privacy);
const pixels = new Pixels(boot);
const extensions = checkout.extension && new Extensions(checkout.extension, answers());
let event = checkout.event;

async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await fetch(`/host/${encodeURIComponent(token)}/${path}`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(body ?? null),
  });
  if (!answer.ok) throw new Error(`the dev store answered ${answer.status} to ${path}`);
  return (await answer.json()) as T;
}

/** Make a change, then bring every extension and the order summary up to date. */
async function change(path: string, wanted: unknown): Promise<Result> {
  const {result, state} = await post<Changed>(path, wanted);
  if (result.type === 'success') await show(state);
  return result;
}

async function show(state: CheckoutState): Promise<void> {
  extensions?.tell('state', state);
  const answer = await fetch(`/checkout/${encodeURIComponent(token)}/summary`);
  const {html, event: seen} = (await answer.json()) as {html: Record<string, string>; event: typeof event};
  event = seen;
  for (const place of document.querySelectorAll<HTMLElement>('[data-summary]')) {
    place.innerHTML = html[place.dataset['summary'] ?? ''] ?? '';
  }
}

function answers() {
  return {
    'change': (argument: unknown) => {
      const {path, change: wanted} = argument as {path: string; change: unknown};
      return change(path, wanted);
    },
    'sessionToken': async () => (await post<{token: string}>('session-token', {})).token,
    'publish': (argument: unknown) => {
      const {name, data} = argument as {name: string; data: unknown};
      pixels.publishCustom(name, data);
      return true;
    },
    'consent': (argument: unknown) => changeConsent(argument as Said & {type?: string}),
    'query': (argument: unknown) => askStorefront(argument as Query),
  };
}

interface Query {
  readonly query: string;
  readonly variables?: unknown;
  readonly version?: string;
}

const API_ACCESS = 'api_access';

/** Ask the Storefront API, which an extension may with the capability alone: no token of its own. */
async function askStorefront({query, variables, version = '2026-07'}: Query): Promise<unknown> {
  if (!checkout?.extension?.capabilities.includes(API_ACCESS)) {
    throw new Error(`The extension needs the capability ${API_ACCESS} to query the Storefront API.`);
  }
  const answer = await fetch(`/api/${version}/graphql.json`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query, variables}),
  });
  return answer.json();
}

const COLLECT_CONSENT = 'collect_buyer_consent.customer_privacy';

function changeConsent({type, ...said}: Said & {type?: string}): Result {
  if (!checkout?.extension?.capabilities.includes(COLLECT_CONSENT)) {
    return {type: 'error', message: `The extension needs the capability ${COLLECT_CONSENT} to change the visitor's consent.`};
  }
  if (type !== 'changeVisitorConsent') return {type: 'error', message: `There is no consent change of type ${String(type)}.`};
  visitor.say(said);
  return {type: 'success'};
}

/** Each part of the form publishes its event once, when the buyer leaves it filled in. */
function watchForm(form: HTMLFormElement): void {
  for (const part of form.querySelectorAll<HTMLElement>('[data-event]')) {
    part.addEventListener('change', () => pixels.publish(part.dataset['event'] ?? '', {checkout: event}), {once: true});
  }
  form.addEventListener('invalid', ({target}) => alertDisplayed(target as HTMLInputElement), true);
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    void pay(form);
  });
}

function alertDisplayed(field: HTMLInputElement): void {
  const type = field.validity.valueMissing ? 'INPUT_REQUIRED' : 'INPUT_INVALID';
  pixels.publish('alert_displayed', {alert: {type, target: field.name, message: field.validationMessage, value: null}});
}

async function pay(form: HTMLFormElement): Promise<void> {
  const button = form.querySelector<HTMLButtonElement>('[data-pay]');
  const problem = form.querySelector<HTMLElement>('[data-problem]');
  if (button) button.disabled = true;
  pixels.publish('payment_info_submitted', {checkout: event});
  const result = await change('complete', {email: new FormData(form).get('email')});
  if (result.type === 'success') return location.assign(`/checkout/${encodeURIComponent(token)}/thank-you${location.search}`);
  if (button) button.disabled = false;
  if (problem) problem.textContent = result.message;
  const alert = {type: 'CHECKOUT_ERROR', target: 'cart', message: result.message, value: null};
  pixels.publish('alert_displayed', {alert});
}

/** A discount code typed by the buyer goes the same way as an extension's. */
function watchDiscount(): void {
  document.addEventListener('submit', async (submitted) => {
    const form = submitted.target;
    if (!(form instanceof HTMLFormElement) || !form.matches('[data-discount]')) return;
    submitted.preventDefault();
    const data = new FormData(form, submitted.submitter);
    const type = data.get('remove') ? 'removeDiscountCode' : 'addDiscountCode';
    const result = await change('discount-codes', {type, code: String(data.get('remove') ?? data.get('code') ?? '')});
    const problem = document.querySelector<HTMLElement>('[data-discount-problem]');
    if (problem) problem.textContent = result.type === 'error' ? result.message : '';
  });
}

for (const {name, data} of boot.events) pixels.publish(name, data);
const form = document.querySelector<HTMLFormElement>('form[data-checkout]');
if (form) watchForm(form);
watchDiscount();
visitor.watch((privacy) => pixels.follow(privacy));
watchBanner(visitor);
void extensions?.openAll(checkout.state, visitor.current);
visitor.watch((privacy) => extensions?.tell('privacy', privacy));
