/** What is told to Shopify's pixels, and through Tillwise's own to Tillwise: nothing before analytics is allowed. */
import {mayWatch} from './privacy.ts';
import {shopify} from './shopify.ts';

export function publish(name: string, data: Record<string, unknown> = {}): void {
  if (!mayWatch()) return;
  try {
    void shopify().analytics?.publish?.(`tillwise:${name}`, data);
  } catch {
    // A page without pixels is not measured.
  }
}
