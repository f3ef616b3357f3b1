/** The admin's picker of products: what `shopify.resourcePicker` opens. */

interface Product {
  readonly id: string;
  readonly title: string;
}

/** What the app asks for. multiple: whether there can be several, or how many. */
export interface Wanted {
  readonly multiple?: boolean | number;
  readonly selectionIds?: readonly {readonly id: string}[];
}

function row({id, title}: Product, type: string, chosen: boolean): HTMLElement {
  const input = Object.assign(document.createElement('input'), {type, name: 'product', value: id, checked: chosen});
  const label = document.createElement('label');
  label.append(input, ` ${title}`);
  return label;
}

/** Return the products the merchant chose, undefined when they chose none and left. */
export async function pickProducts({multiple, selectionIds = []}: Wanted): Promise<readonly Product[] | undefined> {
  const dialog = document.querySelector<HTMLDialogElement>('dialog[data-picker]');
  const list = dialog?.querySelector('[data-products]');
  const words = dialog?.querySelector('input');
  if (!dialog || !list || !words) return undefined;
  const products = (await (await fetch(`/admin/products${location.search}`)).json()) as readonly Product[];
  const chosen = new Set(selectionIds.map(({id}) => id));
  const rows = products.map((each) => row(each, multiple ? 'checkbox' : 'radio', chosen.has(each.id)));
  list.replaceChildren(...rows);
  words.value = '';
  words.oninput = () => {
    for (const each of rows) each.hidden = !each.textContent?.toLowerCase().includes(words.value.toLowerCase());
  };
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener('close', done, {once: true}));
  if (dialog.returnValue !== 'chosen') return undefined;
  const ticked = new Set([...list.querySelectorAll<HTMLInputElement>('input:checked')].map(({value}) => value));
  return products.filter(({id}) => ticked.has(id)).slice(0, typeof multiple === 'number' ? multiple : undefined);
}
