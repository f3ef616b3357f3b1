/** The developer panel: each form calls a control route and shows what came back. */

function bodyOf(form: HTMLFormElement): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [name, value] of new FormData(form)) {
    const field = form.elements.namedItem(name);
    const number = field instanceof HTMLInputElement && field.type === 'number';
    if (value !== '') body[name] = number ? Number(value) : value;
  }
  return body;
}

async function run(form: HTMLFormElement): Promise<void> {
  const output = form.querySelector('output');
  if (output) output.textContent = 'Working…';
  const answer = await fetch(form.action, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(bodyOf(form)),
  });
  const said = await answer.text();
  form.dataset['outcome'] = answer.ok ? 'done' : 'failed';
  if (output) output.textContent = said || `${answer.status} ${answer.statusText}`;
}

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-control]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run(form);
  });
}

export {};
