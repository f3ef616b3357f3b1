/** `Shopify.actions`: how an app changes the cart so that the theme shows it as it is. */

interface Line {
  readonly merchandiseId: string;
  readonly quantity: number;
  readonly attributes?: readonly {readonly key: string; readonly value: string}[];
}

interface Change {
  readonly lines?: readonly Line[];
}

interface Changed {
  readonly cart: {readonly totalQuantity: number};
  readonly userErrors: readonly {readonly message: string}[];
  readonly warnings: readonly {readonly code: string}[];
}

type Handler = (defaultHandler: () => Promise<Changed>, change: Change) => Promise<Changed>;

/** The first theme to configure it has it; until then the page is loaded anew after a change. */
let configured: Handler | undefined;

const byDefault: Handler = async (change) => {
  const changed = await change();
  location.reload();
  return changed;
};

async function updateCart(change: Change): Promise<Changed> {
  return (configured ?? byDefault)(() => changeCart(change), change);
}

export const ACTIONS = {
  updateCart: Object.assign(updateCart, {
    isDefault: () => configured === undefined,
    configure({handler}: {handler: Handler}): boolean {
      const isFirst = configured === undefined;
      configured ??= handler;
      return isFirst;
    },
  }),
};

/** Add the lines. What the cart has none of is a warning, as Shopify has it; what it refuses is an error. */
async function changeCart({lines = []}: Change): Promise<Changed> {
  const items = lines.map(({merchandiseId, quantity, attributes = []}) => ({
    id: Number(merchandiseId.split('/').pop()),
    quantity,
    properties: Object.fromEntries(attributes.map(({key, value}) => [key, value])),
  }));
  const answer = await fetch('/cart/add.js', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({items})});
  const {description = ''} = (await answer.json()) as {description?: string};
  const cart = (await (await fetch('/cart.js')).json()) as {item_count: number};
  const isSoldOut = /^(Sold out|Only)/.test(description);
  return {
    cart: {totalQuantity: cart.item_count},
    userErrors: answer.ok || isSoldOut ? [] : [{message: description}],
    warnings: isSoldOut ? [{code: 'MERCHANDISE_NOT_ENOUGH_STOCK'}] : [],
  };
}
