/** A small web pixel that sends every event on as it comes, and says who allowed what. */
import {register} from '@shopify/web-pixels-extension';

register(({analytics, init, settings, customerPrivacy}) => {
  let allowed = init.customerPrivacy;
  const send = (body) =>
    fetch(`${process.env.APP_URL}/api/track_event`, {
      method: 'POST',
      keepalive: true,
      headers: {'Content-Type': 'application/json', Authorization: `Bearer ${settings.accountID}`},
      body: JSON.stringify(body),
    });
  customerPrivacy.subscribe('visitorConsentCollected', (event) => {
    allowed = event.customerPrivacy;
    send({name: 'consent', allowed});
  });
  analytics.subscribe('all_events', (event) => {
    const {id, name, type, clientId, timestamp, customData, context} = event;
    const gpc = navigator.globalPrivacyControl;
    send({id, name, type, clientId, timestamp, customData, allowed, gpc, page: context.document.title});
  });
});
