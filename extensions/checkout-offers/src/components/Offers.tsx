import {useLayoutEffect} from 'preact/hooks';
import {isEditor, type Host, type CartApi} from '../host.ts';
import {view, type CardView} from '../model.ts';
import {SAMPLE_CART_API} from '../sample.ts';
import {scene} from '../scene.ts';
import type {Surface} from '../surface.ts';
import {useNow} from '../useNow.ts';
import {useOffers} from '../useOffers.ts';
import {usePrivacyChoice} from '../usePrivacyChoice.ts';
import {speaker, type Speaker, type Words} from '../words.ts';
import {Card, type Doing} from './Card.tsx';
import {Notice} from './Notice.tsx';
import {PrivacyChoice} from './PrivacyChoice.tsx';
import {Progress} from './Progress.tsx';
import {Skeleton} from './Skeleton.tsx';

interface Props {
  host: Host;
  surface: Surface;
  cartApi?: CartApi;
}

/** The extension on every target: shows what was put ahead, asks for better, and lets the buyer take it; above, the privacy choice. */
export function Offers({host, surface, cartApi}: Props) {
  const preview = isEditor(host);
  const {state, prices, sawAll, ...doing} = useOffers(host, surface, preview ? (SAMPLE_CART_API as CartApi) : cartApi);
  const choice = usePrivacyChoice(host);
  const now = useNow(state.entries.map(({offer}) => offer.discount?.expires_at));
  const here = scene(host, surface, now, prices);
  const shown = view(state, here);
  const {language, extensionLanguage} = host.localization;
  const tongue = {...here, locale: language.value.isoCode, language: extensionLanguage.value.isoCode};
  const spoken = speaker(host.i18n as unknown as Parameters<typeof speaker>[0], tongue);
  const {say} = spoken;
  const headed = (heading: Words | string) => (typeof heading === 'string' ? heading : say(heading));

  // Shopify renders a step before the buyer reaches it.
  const onScreen = host.extension.rendered.value;
  const cards = shown.kind === 'offers' ? shown.cards : [];
  const seen = onScreen ? cards : [];
  useLayoutEffect(() => sawAll(seen), [seen.map(({offer: {decision_id, offer_id}}) => `${decision_id} ${offer_id}`).join()]);

  if (shown.kind === 'nothing' && !choice) return null;
  return (
    <s-query-container>
      <s-stack gap="small-100">
        {choice && <PrivacyChoice {...choice} say={say} />}
        {preview && <s-banner tone="info">{say({key: 'sample.note'})}</s-banner>}
        {shown.kind === 'skeleton' && <Skeleton {...shown} heading={headed(shown.heading)} say={say} />}
        {shown.kind === 'offers' && shown.heading !== undefined && <s-heading>{headed(shown.heading)}</s-heading>}
        {shown.kind === 'offers' && cards.map((card, place) => <Shown key={place} card={card} boxed={shown.boxed || card.boxed === true} spoken={spoken} doing={doing} />)}
      </s-stack>
    </s-query-container>
  );
}

/** Keyed by their places: the offer that takes another's place takes its elements too, and nothing flickers. */
function Shown({card, boxed, spoken, doing}: {card: CardView; boxed: boolean; spoken: Speaker; doing: Doing}) {
  switch (card.layout) {
    case 'product':
      return <Card card={card} speaker={spoken} doing={doing} />;
    case 'notice':
      return <Notice notice={card} boxed={boxed} say={spoken.say} doing={doing} />;
    case 'progress':
      return <Progress card={card} boxed={boxed} say={spoken.say} />;
  }
}
