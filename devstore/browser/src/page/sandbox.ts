/** Opens a frame, starts a bundle in a worker inside it and keeps a line to that worker. */
import {lineOver, type Handlers, type Line} from '../calls.ts';
import {reportsGpc} from '../gpc.ts';
import type {Boot, FromFrame} from '../messages.ts';

export interface Program {
  readonly name: string;
  readonly workerUrl: string;
  readonly scriptUrl: string;
  readonly config: unknown;
  /** Unless told otherwise; without it the bundle runs in the frame itself. */
  readonly sandboxed?: boolean;
  readonly answers: Handlers;
  readonly failed: (message: string) => void;
}

async function text(address: string): Promise<string> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return answer.text();
}

function createFrame({name, sandboxed = true}: Program): HTMLIFrameElement {
  const frame = document.createElement('iframe');
  frame.title = name;
  if (sandboxed) frame.setAttribute('sandbox', 'allow-scripts allow-popups');
  frame.src = sandboxed ? '/browser/frame.html' : '/browser/realm.html';
  return frame;
}

/** Call back with each message of this frame and no other window's. */
function listen(frame: HTMLIFrameElement, take: (message: FromFrame) => void): void {
  addEventListener('message', ({source, data}: MessageEvent<FromFrame>) => {
    if (source === frame.contentWindow) take(data);
  });
}

/** Return the line to the worker once its bundle has been handed over. */
export async function openSandbox(mount: Element, program: Program): Promise<Line> {
  const frame = createFrame(program);
  const ready = new Promise<void>((done) => {
    listen(frame, (message) => {
      if (message.kind === 'ready') done();
      else if (message.kind === 'failed') program.failed(message.message);
      else frame.style.blockSize = `${message.height}px`;
    });
  });
  mount.append(frame);
  const [worker, code] = await Promise.all([text(program.workerUrl), text(program.scriptUrl), ready]);
  const {port1, port2} = new MessageChannel();
  const {scriptUrl, config} = program;
  const boot: Boot = {kind: 'boot', worker, code, scriptUrl, config, gpc: reportsGpc()};
  frame.contentWindow?.postMessage(boot, '*', [port2]);
  return lineOver(port1, program.answers);
}
