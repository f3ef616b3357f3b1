/**
 * The frame in which a bundle runs beside the elements themselves: no sandbox, no worker, no remote tree. What
 * works here and not in the sandbox needs something that a checkout does not have.
 */
import {defineElements, speak} from './host/all.ts';
import type {Boot, FromFrame} from './messages.ts';
import {startProgram} from './worker/program.ts';

defineElements();
const toPage = (message: FromFrame): void => parent.postMessage(message, location.origin);

addEventListener('error', ({message}) => toPage({kind: 'failed', message}));
addEventListener('message', ({data, ports, source}: MessageEvent<Boot>) => {
  if (source !== parent || data.kind !== 'boot' || !ports[0]) return;
  speak(data.config as {locale?: string});
  startProgram(data, ports[0], () => undefined).catch((error) => toPage({kind: 'failed', message: String(error)}));
});

new ResizeObserver(() => toPage({kind: 'height', height: Math.ceil(document.body.getBoundingClientRect().height)})).observe(document.body);
toPage({kind: 'ready'});
