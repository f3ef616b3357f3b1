import {useLayoutEffect, useRef} from 'preact/hooks';
import {pause} from './again.ts';
import {isCompany, isEditor, type Host} from './host.ts';
import type {Offer} from './offer.ts';
import {gid} from './parse.ts';
import {NO_PRICES, PriceList, type Prices} from './prices.ts';

/** So long offers that are new wait for their prices: one that comes with its price need not change it. */
export const PRICES_FIRST_MS = 300;

export interface Priced {
  /** What is known by now of the market that the buyer is in. */
  prices: Prices;
  /** Return what is known of it once these offers' prices are, or after the time. */
  look: (offers: readonly Offer[], patience_ms: number, signal: AbortSignal) => Promise<Prices>;
}

/** Ask for these offers' prices in the buyer's market, and call back when some have come. */
export function usePrices(host: Host, offers: readonly Offer[], came: (prices: Prices) => void): Priced {
  const lists = useRef(new Map<string, PriceList>()).current;
  const country = countryOf(host);
  const market = country && `${country} ${host.cost.subtotalAmount.value.currencyCode}`;
  const now = useRef(market);
  now.current = market;
  const variants = variantsOf(offers);

  // Before the frame is drawn: the query is on its way while what was put ahead is painted.
  useLayoutEffect(() => {
    const list = listNow();
    if (!list?.lacks(variants)) return;
    void list.ask(variants, inCart(host)).then(() => {
      if (now.current === market) came(list.prices);
    });
  }, [market, variants.join()]);

  function listNow(): PriceList | undefined {
    if (!country || !market) return undefined;
    const list = lists.get(market) ?? new PriceList((query, options) => host.query(query, options), country);
    lists.set(market, list);
    return list;
  }

  async function look(these: readonly Offer[], patience_ms: number, signal: AbortSignal): Promise<Prices> {
    const list = listNow();
    const wanted = variantsOf(these);
    if (list?.lacks(wanted)) await Promise.race([list.ask(wanted, inCart(host)), pause(Math.max(patience_ms, 0), signal)]);
    return list?.prices ?? NO_PRICES;
  }

  return {prices: listNow()?.prices ?? NO_PRICES, look};
}

/** Return the country whose prices the buyer pays; undefined for a company, whose own need a token of its buyer's, and in the editor. */
function countryOf(host: Host): string | undefined {
  return isCompany(host) || isEditor(host) ? undefined : host.localization.country.value?.isoCode;
}

function variantsOf(offers: readonly Offer[]): string[] {
  return [...new Set(offers.flatMap(({product}) => product?.variant_id ?? []))];
}

/** Return a variant that the buyer has, so that it is sold to them. */
function inCart({lines}: Host): string | undefined {
  return lines.value.map(({merchandise}) => gid('ProductVariant', merchandise.id)).find((variant) => variant);
}
