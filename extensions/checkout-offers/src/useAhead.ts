import {useLayoutEffect} from 'preact/hooks';
import {ahead, customerOf} from './begin.ts';
import {isEditor, type Host} from './host.ts';
import type {Offer} from './offer.ts';
import type {Surface} from './surface.ts';

/**
 * Call back with what was put ahead, once there is anything to paint of it: Shopify hands metafields over after the
 * first render (https://github.com/Shopify/ui-extensions/issues/2262).
 */
export function useAhead(host: Host, surface: Surface, came: (offers: Offer[]) => void): void {
  useLayoutEffect(() => {
    if (isEditor(host)) return;
    const offers = ahead(host, surface, Date.now());
    if (offers.length) came(offers);
  }, [host.appMetafields.value, host.checkoutToken.value, customerOf(host)]);
}
