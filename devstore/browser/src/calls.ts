/** Calls over a message port: one side asks by name, the other answers or says why not. */

interface Call {
  readonly call: number;
  readonly method: string;
  readonly argument: unknown;
}

interface Answer {
  readonly answer: number;
  readonly value?: unknown;
  readonly error?: string;
}

interface News {
  readonly news: string;
  readonly value: unknown;
}

export type Handlers = Readonly<Record<string, (argument: unknown) => unknown>>;
export type Ask = (method: string, argument?: unknown) => Promise<unknown>;

export interface Line {
  readonly ask: Ask;
  readonly tell: (news: string, value: unknown) => void;
}

/** Return a line over this port; `answers` are the calls it takes, `hears` the news it listens for. */
export function lineOver(port: MessagePort, answers: Handlers, hears: Handlers = {}): Line {
  const waiting = new Map<number, {done: (value: unknown) => void; failed: (error: Error) => void}>();
  let last = 0;
  port.onmessage = async ({data}: MessageEvent<Call | Answer | News>) => {
    if ('call' in data) port.postMessage(await answerTo(data, answers));
    else if ('news' in data) hears[data.news]?.(data.value);
    else settle(data);
  };

  function settle({answer, value, error}: Answer): void {
    const asked = waiting.get(answer);
    waiting.delete(answer);
    if (error === undefined) asked?.done(value);
    else asked?.failed(new Error(error));
  }

  return {
    tell: (news, value) => port.postMessage({news, value}),
    ask: (method, argument) =>
      new Promise((done, failed) => {
        waiting.set(++last, {done, failed});
        port.postMessage({call: last, method, argument});
      }),
  };
}

async function answerTo({call, method, argument}: Call, answers: Handlers): Promise<Answer> {
  const answer = answers[method];
  if (!answer) return {answer: call, error: `the dev store does not offer ${method}`};
  try {
    return {answer: call, value: await answer(argument)};
  } catch (error) {
    return {answer: call, error: error instanceof Error ? error.message : String(error)};
  }
}
