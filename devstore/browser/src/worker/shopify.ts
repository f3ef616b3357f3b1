/** The `shopify` global of a checkout UI extension, API 2026-07. */
import type {CheckoutState} from '../contract.ts';
import {customerPrivacyOf, type Privacy} from '../privacy.ts';
import type {Ask} from '../calls.ts';
import {createI18n, type Translations} from './i18n.ts';
import {Signals, type SignalClass} from './signals.ts';

export interface ExtensionConfig {
  readonly target: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly scriptUrl: string;
  readonly locale: string;
  readonly extensionLocale: string;
  readonly country: string;
  readonly translations: Translations;
  readonly fallback: Translations;
  readonly capabilities: readonly string[];
  readonly editor: boolean;
  /** What this checkout lets nobody change: lines, discounts, attributes. */
  readonly locked: readonly string[];
  readonly privacy: Privacy;
  readonly state: CheckoutState;
}

type Render = () => unknown;

const TOP = [
  'appMetafields', 'appliedGiftCards', 'attributes', 'availablePaymentOptions', 'checkoutSettings', 'checkoutToken',
  'customerPrivacy', 'deliveryGroups', 'discountAllocations', 'discountCodes', 'instructions', 'lines',
  'localizedFields', 'note', 'selectedPaymentOptions', 'settings',
] as const;
/** What a checkout has and a customer's account has not. */
const CHECKOUT_ONLY: ReadonlySet<string> = new Set([
  'availablePaymentOptions', 'deliveryGroups', 'instructions', 'localizedFields', 'selectedPaymentOptions',
]);
const COST = ['subtotalAmount', 'totalAmount', 'totalShippingAmount', 'totalTaxAmount'];
const IDENTITY = ['customer', 'email', 'phone', 'purchasingCompany'];
const LOCALIZATION = ['country', 'currency', 'extensionLanguage', 'language', 'market', 'timezone'];
const JOURNEY = ['activeStep', 'completed', 'steps'];

/** Only a checkout can be changed; the pages after it can't. */
export const isOpen = (target: string): boolean => target.startsWith('purchase.checkout');
const isAccount = (target: string): boolean => target.startsWith('customer-account');

/** Return the signals' values that follow from the checkout's state. */
export function valuesOf(state: CheckoutState): Record<string, unknown> {
  const {cost, buyerIdentity, orderConfirmation} = state;
  return {
    lines: state.lines,
    attributes: state.attributes,
    discountCodes: state.discountCodes,
    discountAllocations: state.discountAllocations,
    appMetafields: state.appMetafields,
    checkoutToken: state.checkoutToken,
    'cost.subtotalAmount': cost.subtotalAmount,
    'cost.totalAmount': cost.totalAmount,
    'buyerIdentity.customer': buyerIdentity.customer ?? undefined,
    'buyerIdentity.email': buyerIdentity.email ?? undefined,
    'buyerIdentity.purchasingCompany': buyerIdentity.purchasingCompany ?? undefined,
    orderConfirmation: orderConfirmation ?? undefined,
    order: orderConfirmation ? {...orderConfirmation.order, name: `#${orderConfirmation.number ?? ''}`} : undefined,
  };
}

/** Return the signals' values that stay as they are for the life of the page. */
function fixedValues({target, settings, capabilities, locked, locale, extensionLocale, country, state}: ExtensionConfig): Record<string, unknown> {
  const open = isOpen(target);
  const may = (what: string): boolean => open && !locked.includes(what);
  const step = open ? 'checkout' : 'thank-you';
  return {
    settings,
    instructions: {
      attributes: {canUpdateAttributes: may('attributes')},
      delivery: {canSelectCustomAddress: open},
      discounts: {canUpdateDiscountCodes: may('discounts')},
      lines: {canAddCartLine: may('lines'), canRemoveCartLine: may('lines'), canUpdateCartLine: may('lines')},
      metafields: {canSetCartMetafields: open, canDeleteCartMetafield: open},
      notes: {canUpdateNote: open},
    },
    note: undefined,
    appliedGiftCards: [],
    availablePaymentOptions: [{type: 'creditCard', handle: 'dev-store-card'}],
    selectedPaymentOptions: [{type: 'creditCard', handle: 'dev-store-card'}],
    checkoutSettings: {orderSubmission: 'ORDER', shippingAddress: {isEditable: true}},
    deliveryGroups: [],
    localizedFields: [],
    'cost.totalShippingAmount': undefined,
    'cost.totalTaxAmount': undefined,
    'buyerIdentity.phone': undefined,
    'localization.country': {isoCode: country},
    'localization.currency': {isoCode: state.cost.totalAmount.currencyCode},
    'localization.language': {isoCode: locale},
    'localization.extensionLanguage': {isoCode: extensionLocale},
    'localization.market': {id: 'gid://shopify/Market/1', handle: country.toLowerCase()},
    'localization.timezone': 'America/New_York',
    'buyerJourney.activeStep': {handle: step},
    'buyerJourney.completed': !open,
    authenticationState: 'fully_authenticated',
    'buyerJourney.steps': [{handle: 'checkout', label: 'Checkout', to: '', disabled: false}],
    'extension.capabilities': capabilities,
    'extension.rendered': true,
  };
}

const CHANGES = {
  applyCartLinesChange: 'lines',
  applyDiscountCodeChange: 'discount-codes',
  applyAttributeChange: 'attributes',
} as const;

/** Return the apply functions; the pages after the checkout have none. */
function changes(target: string, ask: Ask): Record<string, unknown> {
  if (!isOpen(target)) return {};
  return Object.fromEntries(
    Object.entries(CHANGES).map(([name, path]) => [
      name,
      (change: unknown) => ask('change', {path, change}),
    ]),
  );
}

export function createShopify(config: ExtensionConfig, ask: Ask) {
  const {target, state} = config;
  const signals = new Signals();
  signals.set({...fixedValues(config), customerPrivacy: customerPrivacyOf(config.privacy), ...valuesOf(state)});
  const targets = new Map<string, Render>();
  const currency = state.cost.totalAmount.currencyCode;
  const api = {
    extend: (name: string, render: Render) => void targets.set(name, render),
    reload: () => undefined,
    setSignals: (Class: SignalClass) => signals.use(Class),
    version: '2026-07',
    extensionPoint: target,
    extension: {
      apiVersion: '2026-07',
      target,
      scriptUrl: config.scriptUrl,
      version: '1.0.0',
      ...(config.editor && {editor: {type: 'checkout'}}),
    },
    shop: state.shop,
    i18n: createI18n({...config, currency}),
    cost: signals.group(COST, 'cost.'),
    buyerIdentity: signals.group(IDENTITY, 'buyerIdentity.'),
    localization: signals.group(LOCALIZATION, 'localization.'),
    buyerJourney: Object.assign(signals.group(JOURNEY, 'buyerJourney.'), {intercept: async () => () => undefined}),
    sessionToken: {get: () => ask('sessionToken')},
    storage: {
      read: (key: string) => ask('storage.read', key),
      write: (key: string, value: unknown) => ask('storage.write', {key, value}),
      delete: (key: string) => ask('storage.delete', key),
    },
    analytics: {
      publish: (name: string, data: unknown) => ask('publish', {name, data}),
      visitor: async () => ({type: 'success'}),
    },
    query: (query: string, options: {variables?: unknown; version?: string} = {}) => ask('query', {query, ...options}),
    applyTrackingConsentChange: (change: unknown) => ask('consent', change),
    ...changes(target, ask),
  };
  describe(api, signals, target);
  return {api, signals, targets};
}

/** Give the global its top-level signals, each read anew so that setSignals takes hold. */
function describe(api: {extension: object}, signals: Signals, target: string): void {
  Object.defineProperties(api, Object.getOwnPropertyDescriptors(signals.group(topOf(target))));
  const extension = signals.group(['capabilities', 'rendered'], 'extension.');
  Object.defineProperties(api.extension, Object.getOwnPropertyDescriptors(extension));
}

function topOf(target: string): readonly string[] {
  if (isOpen(target)) return TOP;
  if (!isAccount(target)) return [...TOP, 'orderConfirmation'];
  return [...TOP.filter((name) => !CHECKOUT_ONLY.has(name)), 'order', 'authenticationState'];
}
