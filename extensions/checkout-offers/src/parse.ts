/** Readers of untrusted JSON: each returns the value, or undefined when it is not one. */

/** An amount in major units. */
export interface Money {
  amount: number;
  currency: string;
}

export function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

export function array(raw: unknown): unknown[] {
  return Array.isArray(raw) ? raw : [];
}

export function text(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw.trim() ? raw.trim() : undefined;
}

/** Return a finite number from a number or a decimal string. */
export function number(raw: unknown): number | undefined {
  if (typeof raw !== 'number' && !text(raw)) return undefined;
  const value = Number(raw);
  return Number.isFinite(value) ? value : undefined;
}

/** Return an amount; undefined without a currency that can be formatted. */
export function money(amount: unknown, currency: unknown): Money | undefined {
  const value = number(amount);
  return value !== undefined && /^[A-Z]{3}$/.test(String(currency)) ? {amount: value, currency: String(currency)} : undefined;
}

/** Return `gid://shopify/{type}/{id}` from a Shopify GID of that type, a number or its digits. */
export function gid(type: string, raw: unknown): string | undefined {
  const digits = new RegExp(`^(?:gid://shopify/${type}/)?(\\d+)$`).exec(String(raw))?.[1];
  return digits && `gid://shopify/${type}/${digits}`;
}

/** Return what JSON says; undefined for what is none. */
export function json(raw: unknown): unknown {
  try {
    return JSON.parse(String(raw));
  } catch {
    return undefined;
  }
}
