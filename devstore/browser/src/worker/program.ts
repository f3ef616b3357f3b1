/** Starts a checkout UI extension's bundle, unmodified, and brings it up to date with its page. */
import {lineOver} from '../calls.ts';
import type {CheckoutState} from '../contract.ts';
import {reportGpc} from '../gpc.ts';
import type {Boot} from '../messages.ts';
import {customerPrivacyOf, type Privacy} from '../privacy.ts';
import {run, scope} from './scope.ts';
import {createShopify, valuesOf, type ExtensionConfig} from './shopify.ts';

const NETWORK = 'network_access';

/** Give this realm its `shopify`, then run the bundle and render its target. `ready` is called in between. */
export async function startProgram({code, scriptUrl, config, gpc}: Boot, port: MessagePort, ready: () => void): Promise<void> {
  reportGpc(gpc);
  const extension = {...(config as ExtensionConfig), scriptUrl};
  let {state} = extension;
  const line = lineOver(port, {}, {
    state: (news) => signals.set(valuesOf((state = news as CheckoutState))),
    privacy: (privacy) => signals.set({customerPrivacy: customerPrivacyOf(privacy as Privacy)}),
  });
  const {api, signals, targets} = createShopify({...extension, state: {...state, appMetafields: []}}, line.ask);
  scope.shopify = api;
  if (!extension.capabilities.includes(NETWORK)) {
    globalThis.fetch = () => Promise.reject(new Error(`The extension needs the capability ${NETWORK} to call another server.`));
  }
  ready();
  run(code, scriptUrl);
  const render = targets.get(extension.target);
  if (!render) throw new Error(`${scriptUrl} does not extend ${extension.target}`);
  await render();
  // As at Shopify, where the first render knows of none.
  setTimeout(() => signals.set({appMetafields: state.appMetafields}));
}
