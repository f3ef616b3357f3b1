/** The worker of a checkout UI extension: its document, its `shopify`, then its bundle, unmodified. */
import {lineOver} from '../calls.ts';
import type {CheckoutState} from '../contract.ts';
import {reportGpc} from '../gpc.ts';
import type {Boot} from '../messages.ts';
import {customerPrivacyOf, type Privacy} from '../privacy.ts';
import {heard, mirror} from './remote.ts';
import {fail, run, scope} from './scope.ts';
import {createShopify, valuesOf, type ExtensionConfig} from './shopify.ts';

scope.onmessage = ({data, ports}) => {
  if (data.kind === 'happened') heard(data.listener, data.detail);
  else if (ports[0]) start(data, ports[0]).catch(fail);
};

async function start({code, scriptUrl, config, gpc}: Boot, port: MessagePort): Promise<void> {
  reportGpc(gpc);
  const line = lineOver(port, {}, {
    state: (state) => signals.set(valuesOf(state as CheckoutState)),
    privacy: (privacy) => signals.set({customerPrivacy: customerPrivacyOf(privacy as Privacy)}),
  });
  const extension = {...(config as ExtensionConfig), scriptUrl};
  const {api, signals, targets} = createShopify(extension, line.ask);
  scope.shopify = api;
  mirror();
  run(code, scriptUrl);
  const render = targets.get(extension.target);
  if (!render) throw new Error(`${scriptUrl} does not extend ${extension.target}`);
  await render();
}
