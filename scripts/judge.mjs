// What Shopify's own library says. Reads one question a line as JSON ({id, ask, …}) and answers each
// with one line: {id, ok, result} or {id, ok: false, error}. Nothing leaves this process: requests
// to Shopify are kept and given back instead. Key and secret come from SHOPIFY_API_KEY and _SECRET.

import readline from 'node:readline';
import {Readable} from 'node:stream';

const kept = [];
const granted = {
  access_token: 'judged-access-token',
  scope: 'read_products',
  expires_in: 3600,
  refresh_token: 'judged-refresh-token',
  refresh_token_expires_in: 7776000,
};

// The library takes `fetch` when it is loaded, so this comes first.
globalThis.fetch = async (url, {method, headers, body}) => {
  kept.push({url: String(url), method, headers: Object.fromEntries(new Headers(headers)), body});
  return Response.json(granted);
};
await import('@shopify/shopify-api/adapters/node');
const {shopifyApi, ApiVersion, LogSeverity, RequestedTokenType} = await import('@shopify/shopify-api');

const shopify = shopifyApi({
  apiKey: process.env.SHOPIFY_API_KEY,
  apiSecretKey: process.env.SHOPIFY_API_SECRET,
  apiVersion: ApiVersion.July26,
  scopes: ['read_products'],
  hostName: 'tillwise.example.com',
  hostScheme: 'https',
  isEmbeddedApp: true,
  logger: {level: LogSeverity.Error},
});

function delivery(headers) {
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return Object.assign(Readable.from([]), {
    headers: Object.fromEntries(lowered),
    rawHeaders: lowered.flat(),
    method: 'POST',
    url: '/webhooks',
  });
}

async function requestOf(call) {
  kept.length = 0;
  await call();
  return {...kept[0], body: JSON.parse(kept[0].body)};
}

const answers = {
  webhook: ({headers, body}) => shopify.webhooks.validate({rawBody: body, rawRequest: delivery(headers)}),
  session_token: ({token}) => shopify.session.decodeSessionToken(token),
  proxy: ({query}) => shopify.utils.validateHmac(new URLSearchParams(query), {signator: 'appProxy'}),
  oauth: ({query}) => shopify.utils.validateHmac(query),
  shop: ({shop}) => shopify.utils.sanitizeShop(shop),
  exchange: ({shop, token}) =>
    requestOf(() =>
      shopify.auth.tokenExchange({
        shop,
        sessionToken: token,
        requestedTokenType: RequestedTokenType.OfflineAccessToken,
        expiring: true,
      }),
    ),
  refresh: ({shop, refresh_token}) => requestOf(() => shopify.auth.refreshToken({shop, refreshToken: refresh_token})),
};

for await (const line of readline.createInterface({input: process.stdin})) {
  if (!line.trim()) continue;
  const {id, ask, ...question} = JSON.parse(line);
  try {
    console.log(JSON.stringify({id, ok: true, result: await answers[ask](question)}));
  } catch (error) {
    console.log(JSON.stringify({id, ok: false, error: `${error.constructor.name}: ${error.message}`}));
  }
}
