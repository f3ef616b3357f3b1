// The scripts' words, in the language that the page came in.

const WORDS = JSON.parse(document.getElementById('words').textContent);

/** Return the text in the page's language, with the named values in it: `_('%(title)s is kept', {title})`. */
export function _(text, named = {}) {
  return (WORDS[text] ?? text).replace(/%(?:%|\((\w+)\)s)/g, (sign, name) => (name ? String(named[name]) : '%'));
}
