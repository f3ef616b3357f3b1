// Where shopify.app.toml puts the app's proxy in a shop: /apps/tillwise.
import {readFileSync} from 'node:fs';

export function appProxy() {
  const toml = readFileSync(new URL('../shopify.app.toml', import.meta.url), 'utf8');
  const [, declared] = /^\[app_proxy\]([^[]*)/m.exec(toml);
  const part = (name) => new RegExp(`^${name} *= *"([^"]+)"`, 'm').exec(declared)[1];
  return `/${part('prefix')}/${part('subpath')}`;
}
