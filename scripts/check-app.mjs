// Loads shopify.app.toml and every shopify.extension.toml with the Shopify CLI's own loader, and prints
// what Shopify would make of them. Needs no login and no network; exits 1 with the loader's words when
// they are wrong. `shopify app config validate` would do, but it asks for a login.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, relative, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const directory = resolve(process.argv[2] ?? '.');

/** The loader's name and file change with every build of the CLI; its parameters do not. */
const LOADER = /async function (\w+)\(\{directory:\w+,userProvidedConfigName:\w+,skipPrompts:\w+=!1\}\)/;

try {
  const load = await findLoader(cliDirectory());
  const {app} = await load({directory, skipPrompts: true});
  const loaded = summary(app);
  console.log(JSON.stringify(loaded, null, 2));
  for (const path of passedOver(loaded.extensions)) throw new Error(`${path}: the loader knows no extension of its type`);
} catch (error) {
  console.error(error.message ?? String(error));
  process.exitCode = 1;
}

function cliDirectory() {
  return join(dirname(createRequire(import.meta.url).resolve('@shopify/cli/package.json')), 'dist');
}

async function findLoader(dist) {
  for (const file of readdirSync(dist).filter((name) => /^chunk-.*\.js$/.test(name))) {
    const exported = exportedLoader(readFileSync(join(dist, file), 'utf8'));
    if (exported) return (await import(pathToFileURL(join(dist, file))))[exported];
  }
  throw new Error(`No app loader in ${dist}: this version of @shopify/cli is built differently`);
}

function exportedLoader(source) {
  const name = LOADER.exec(source)?.[1];
  const exports = name && source.match(/export\{[^}]*\}/g)?.pop();
  return exports?.match(new RegExp(`[{,]${name} as (\\w+)`))?.[1];
}

/** The loader says nothing of an extension whose type it does not know. */
function passedOver(loaded) {
  const folder = join(directory, 'extensions');
  const named = existsSync(folder) ? readdirSync(folder).map((name) => join('extensions', name)) : [];
  const told = named.filter((path) => existsSync(join(directory, path, 'shopify.extension.toml')));
  return told.filter((path) => !loaded.some((each) => each.path === path));
}

function summary(app) {
  const {access_scopes: scopes, webhooks} = app.configuration;
  return {
    name: app.configuration.name,
    scopes: scopes?.scopes?.split(','),
    api_version: webhooks?.api_version,
    topics: webhooks?.subscriptions?.flatMap((each) => each.topics ?? each.compliance_topics ?? each.topic ?? []),
    extensions: app.realExtensions
      .filter(({directory: path}) => relative(directory, path))
      .map(({type, handle, directory: path}) => ({type, handle, path: relative(directory, path)})),
  };
}
