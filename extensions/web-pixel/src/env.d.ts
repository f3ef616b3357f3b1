/** What the Shopify CLI replaces when it builds. */
declare const process: {env: {APP_URL?: string}};
