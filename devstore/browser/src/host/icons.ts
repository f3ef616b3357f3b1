/** A few icons, drawn on a 16 px grid as strokes. Unlisted names fall back to a dot. */

const STROKES: Readonly<Record<string, string>> = {
  'cart': 'M1.5 2.5h2l1.6 7.5h7l1.4-5.5H4M6 13.2h.01M11.5 13.2h.01',
  'check': 'M3 8.5l3.2 3L13 4.5',
  'check-circle': 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8M5.3 8.2l1.9 1.8 3.6-3.8',
  'success': 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8M5.3 8.2l1.9 1.8 3.6-3.8',
  'info': 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8M8 7.2v3.6M8 4.9h.01',
  'warning': 'M8 2.2l6.3 11.3H1.7zM8 6.5v3.2M8 11.5h.01',
  'critical': 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8M8 4.8v4M8 11.1h.01',
  'x': 'M4 4l8 8M12 4l-8 8',
  'plus': 'M8 3v10M3 8h10',
  'minus': 'M3 8h10',
  'gift-card': 'M2 6h12v7.5H2zM2 9h12M8 6v7.5M8 6C5 6 4.4 2.5 6.2 2.500S8 6 8 6s0-3.5 1.8-3.500S11 6 8 6',
  'discount': 'M3.5 12.500l9-9M5 5h.01M11 11h.01M5 3.500a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3M11 9.500a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3',
  'delivery': 'M1.5 4h8v7.500h-8zM9.5 6.500h3l2 2.500v2.500h-5M4.5 13h.01M11.5 13h.01',
  'truck': 'M1.5 4h8v7.500h-8zM9.5 6.500h3l2 2.500v2.500h-5M4.5 13h.01M11.5 13h.01',
  'star': 'M8 2l1.8 3.9 4.2.5-3.1 2.9.8 4.200L8 11.4 4.3 13.500l.8-4.200L2 6.400l4.2-.5z',
  'heart': 'M8 13.500S2 10 2 5.900C2 3 6 2 8 5c2-3 6-2 6 .9 0 4.1-6 7.6-6 7.600z',
  'lock': 'M3.5 7h9v6.500h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  'clock': 'M8 1.800a6.2 6.2 0 1 1 0 12.400A6.2 6.2 0 0 1 8 1.800M8 4.500V8l2.5 1.5',
  'chevron-down': 'M4 6l4 4 4-4',
  'chevron-right': 'M6 4l4 4-4 4',
};

/** Return the SVG of a named icon, sized in em of its own font size. */
export function icon(name: string): string {
  const strokes = STROKES[name] ?? 'M8 7.900h.01';
  return `<svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"><path d="${strokes}"/></svg>`;
}
