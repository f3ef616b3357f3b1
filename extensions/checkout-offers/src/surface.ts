/** Where the extension stands: one for each of its targets. */
export type Surface = 'checkout' | 'checkout_lines' | 'thank_you' | 'order_status';

/** Return whether there is still a checkout to change; on the pages after it an offer can only lead to the shop. */
export function isOpen(surface: Surface): boolean {
  return surface === 'checkout' || surface === 'checkout_lines';
}
