import {useEffect} from 'preact/hooks';
import {BROWSER} from './browser.ts';
import {consentOf} from './consent.ts';
import {instructionsOf, type Host, type Till} from './host.ts';
import {unname} from './till.ts';

/** Take the browser's name off the order once its analytics is refused. The question that tells the app so has it still. */
export function useBrowser(host: Host, till?: Till): void {
  const isNamed = host.attributes.value?.some(({key}) => key === BROWSER) ?? false;
  const refused = consentOf(host.customerPrivacy.value).analytics === false;
  const can = instructionsOf(host).attributes?.canUpdateAttributes === true;
  useEffect(() => {
    if (till && isNamed && refused && can) void unname(till);
  }, [isNamed, refused, can]);
}
