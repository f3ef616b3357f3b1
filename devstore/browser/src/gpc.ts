/** Global Privacy Control, which a browser reports to pages and workers alike. */

interface Reporting {
  globalPrivacyControl?: boolean;
}

/** Make this page or worker report the signal; without it a browser that knows none reports nothing. */
export function reportGpc(gpc: boolean): void {
  if (gpc) Object.defineProperty(navigator, 'globalPrivacyControl', {value: true, configurable: true});
}

export function reportsGpc(): boolean {
  return (navigator as Reporting).globalPrivacyControl === true;
}
