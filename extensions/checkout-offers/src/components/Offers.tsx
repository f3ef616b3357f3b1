import {useEffect} from 'preact/hooks';
import type {Host, Till} from '../host.ts';
import {view, type Surface} from '../model.ts';
import {scene} from '../scene.ts';
import {useOffers} from '../useOffers.ts';
import {usePrivacyChoice} from '../usePrivacyChoice.ts';
import {speaker, type Words} from '../words.ts';
import {Card} from './Card.tsx';
import {Notice} from './Notice.tsx';
import {PrivacyChoice} from './PrivacyChoice.tsx';
import {Skeleton} from './Skeleton.tsx';

interface Props {
  host: Host;
  surface: Surface;
  till?: Till;
}

/** The extension on every target: asks for offers, shows them and lets the buyer take them; above, the privacy choice. */
export function Offers({host, surface, till}: Props) {
  const {state, take, giveBack, sawAll} = useOffers(host, surface, till);
  const choice = usePrivacyChoice(host);
  const here = scene(host, surface);
  const shown = view(state, here);
  const {say, sayMoney} = speaker(host.i18n, here.currency);
  const title = (heading: Words | string) => (typeof heading === 'string' ? heading : say(heading));

  // Shopify renders a step before the buyer reaches it.
  const onScreen = host.extension.rendered.value;
  const cards = shown.kind === 'offers' ? shown.cards : [];
  const seen = onScreen ? cards.map(({offer}) => offer) : [];
  useEffect(() => sawAll(seen), [seen.map(({decision_id, offer_id}) => `${decision_id} ${offer_id}`).join()]);

  if (shown.kind === 'nothing' && !choice) return null;
  return (
    <s-stack gap="base">
      {choice && <PrivacyChoice {...choice} say={say} />}
      {shown.kind === 'skeleton' && <Skeleton {...shown} heading={title(shown.heading)} say={say} />}
      {shown.kind === 'offers' && shown.heading !== undefined && <s-heading>{title(shown.heading)}</s-heading>}
      {cards.map((card) =>
        card.layout === 'product' ? (
          <Card key={card.offer.offer_id} card={card} say={say} sayMoney={sayMoney} onTake={take} onGiveBack={giveBack} />
        ) : (
          <Notice key={card.offer.offer_id} notice={card} say={say} onTake={take} />
        ),
      )}
    </s-stack>
  );
}
