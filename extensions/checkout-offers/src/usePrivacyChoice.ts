import {useState} from 'preact/hooks';
import {hasGlobalPrivacyControl} from './consent.ts';
import type {Host} from './host.ts';
import {consentChange, isUnanswered, type PrivacyPhase} from './privacy.ts';
import {readSettings} from './settings.ts';

export interface PrivacyChoice {
  phase: PrivacyPhase;
  answer: (allow: boolean) => void;
}

/** Return the choice to put before the buyer; undefined where nobody is to be asked, or no answer could be kept. */
export function usePrivacyChoice(host: Host): PrivacyChoice | undefined {
  const [phase, setPhase] = useState<PrivacyPhase>('asking');
  const privacy = host.customerPrivacy.value;
  const {applyTrackingConsentChange: apply} = host;
  const wanted = readSettings(host.settings.value).ask_privacy && typeof apply === 'function';
  if (!wanted || phase === 'saved' || !isUnanswered(privacy)) return undefined;

  async function answer(allow: boolean) {
    if (!apply || phase === 'allowing' || phase === 'declining') return;
    setPhase(allow ? 'allowing' : 'declining');
    setPhase((await isKept(() => apply(consentChange(allow, privacy, hasGlobalPrivacyControl())))) ? 'saved' : 'failed');
  }

  return {phase, answer: (allow) => void answer(allow)};
}

async function isKept(change: () => Promise<{type: string}>): Promise<boolean> {
  try {
    return (await change()).type === 'success';
  } catch {
    return false;
  }
}
