import {useEffect} from 'preact/hooks';
import {BROWSER} from './browser.ts';
import {consentOf} from './consent.ts';
import {instructionsOf, type Host, type CartApi} from './host.ts';
import {unname} from './cartChanges.ts';

/** Take the browser's name off the order once its analytics is refused. The question that tells the app so has it still. */
export function useBrowser(host: Host, cartApi?: CartApi): void {
  const isNamed = host.attributes.value?.some(({key}) => key === BROWSER) ?? false;
  const refused = consentOf(host.customerPrivacy.value).analytics === false;
  const can = instructionsOf(host).attributes?.canUpdateAttributes === true;
  useEffect(() => {
    if (cartApi && isNamed && refused && can) void unname(cartApi);
  }, [isNamed, refused, can]);
}
