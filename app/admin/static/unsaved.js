// What is typed and not saved yet. Shopify's save bar says so beside the page and asks who would leave it;
// where there is no such bar the browser asks.

const BAR = 'unsaved';
const FIELDS = '[data-field], [data-many], s-number-field[name]';

const written = (form) => JSON.stringify([...form.querySelectorAll(FIELDS)].map(({checked, value}) => [checked ?? null, value ?? '']));

/** Put the bar's two buttons into the page; App Bridge draws them outside of it. */
function addBar(onSave, onDiscard) {
  const bar = Object.assign(document.createElement('ui-save-bar'), {id: BAR, hidden: true});
  const [save, discard] = [onSave, onDiscard].map((pressed) => {
    const button = document.createElement('button');
    button.addEventListener('click', pressed);
    return button;
  });
  save.setAttribute('variant', 'primary');
  bar.append(save, discard);
  document.body.append(bar);
}

/**
 * Keep what is typed into a form from being left by mistake. saver: finds its own button that saves.
 * Returns what says that all that is typed is saved, or may be lost: to be waited for before the page goes.
 */
export function guard(form, saver) {
  let before; // as it was when somebody first came to a field: by then the fields have their values
  let shown = false;
  const differs = () => before !== undefined && written(form) !== before;

  async function tell(now) {
    if (shown === now) return;
    shown = now;
    await shopify.saveBar?.[now ? 'show' : 'hide'](BAR);
  }
  const look = () => setTimeout(() => void tell(differs())); // once what a click does is done
  const settle = () => {
    before = written(form);
    return tell(false);
  };

  for (const kind of ['focusin', 'click']) form.addEventListener(kind, () => { before ??= written(form); }, true);
  for (const kind of ['input', 'change', 'click']) form.addEventListener(kind, look);
  addEventListener('beforeunload', (event) => {
    if (differs()) event.preventDefault();
  });
  addBar(() => form.querySelector(saver).click(), async () => {
    await settle();
    location.reload();
  });
  return settle;
}
