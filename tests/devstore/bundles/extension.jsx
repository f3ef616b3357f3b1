/** A small checkout extension that shows what it is told, and uses each part of the host once. */
import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useState} from 'preact/hooks';

async function ask(body) {
  const answer = await fetch(`${process.env.APP_URL}/api/personalize`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', Authorization: `Bearer ${await shopify.sessionToken.get()}`},
    body: JSON.stringify(body),
  });
  return answer.json();
}

/** Several neighbours that come, go and change places at once. */
function Crowd() {
  const [names, set] = useState(['one', 'two', 'three', 'four']);
  return (
    <s-stack accessibilityLabel="Crowd">
      {names.includes('one') && <s-heading>first</s-heading>}
      {names.map((name) => <s-text key={name}>{name}</s-text>)}
      <s-button onClick={() => set(names.includes('one') ? ['four', 'five', 'two'] : ['one', 'six'])}>Move</s-button>
    </s-stack>
  );
}

function Extension() {
  const [said, say] = useState('');
  const {appMetafields, lines, cost, buyerIdentity, customerPrivacy, i18n, discountCodes} = shopify;
  const add = async (merchandiseId) => {
    const attributes = [{key: '_tillwise_decision', value: 'd1'}];
    const result = await shopify.applyCartLinesChange({type: 'addCartLine', merchandiseId, quantity: 1, attributes});
    say(result.type === 'error' ? result.message : 'added');
  };
  const offer = async () => {
    const {title} = await ask({cart: lines.value.map((line) => line.merchandise.product.id)}).catch(({message}) => ({title: message}));
    await shopify.analytics.publish('tillwise:offer_shown', {title});
    say(title);
  };
  const consent = async (change) => {
    const result = await shopify.applyTrackingConsentChange({type: 'changeVisitorConsent', ...change});
    say(result.type === 'error' ? result.message : 'consent kept');
  };
  const priced = async () => {
    const query = '{ node(id: "gid://shopify/ProductVariant/101") { ... on ProductVariant { price { amount } } } }';
    const told = await shopify.query(query).catch(({message}) => message);
    say(told.data ? `costs ${told.data.node.price.amount}` : told);
  };
  const {allowedProcessing, visitorConsent, region, shouldShowBanner, saleOfDataRegion} = customerPrivacy.value;
  const privacy = {said: visitorConsent, allowed: allowedProcessing, region, banner: shouldShowBanner, sale: saleOfDataRegion};
  const remember = async () => {
    await shopify.storage.write('seen', {times: 2});
    say(`stored ${(await shopify.storage.read('seen')).times}`);
  };
  return (
    <s-section heading="Test">
      <s-text>{i18n.translate('pieces', {count: lines.value.length})}</s-text>
      <s-text>{i18n.formatCurrency(cost.totalAmount.value.amount)}</s-text>
      <s-text>{buyerIdentity.customer.value?.id ?? 'nobody'}</s-text>
      <s-text>{JSON.stringify(privacy)}</s-text>
      <s-text>{`gpc ${navigator.globalPrivacyControl}`}</s-text>
      <s-text>{`metafields ${appMetafields.value.map(({metafield: {key, value}}) => `${key} ${value}`).join()}`}</s-text>
      <s-text>{discountCodes.value.map(({code}) => code).join() || 'no code'}</s-text>
      <s-button onClick={() => add('gid://shopify/ProductVariant/103')}>Add coffee</s-button>
      <s-button onClick={() => add('gid://shopify/ProductVariant/104')}>Add ice cream</s-button>
      <s-button onClick={() => shopify.applyDiscountCodeChange({type: 'addDiscountCode', code: 'tenth'})}>Discount</s-button>
      <s-button onClick={offer}>Offer</s-button>
      <s-button onClick={remember}>Remember</s-button>
      <s-button onClick={() => consent({analytics: true, marketing: false, saleOfData: undefined})}>Agree in part</s-button>
      <s-button onClick={() => consent({type: 'changeMind'})}>Ask for the impossible</s-button>
      <s-button onClick={priced}>Price</s-button>
      <s-button loading accessibilityLabel="Busy">Busy</s-button>
      <Crowd />
      {said && <s-banner tone="info">{said}</s-banner>}
      <s-text>{typeof window.document.cookie === 'string' ? 'cookies' : 'no cookies'}</s-text>
    </s-section>
  );
}

shopify.extend('purchase.checkout.block.render', () => render(<Extension />, document.body));
shopify.extend('purchase.thank-you.block.render', () => {
  const change = typeof shopify.applyCartLinesChange;
  render(<s-text>{`${shopify.orderConfirmation.value.order.id} change:${change}`}</s-text>, document.body);
});
