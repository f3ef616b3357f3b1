/**
 * Whether the shopper is about to leave. With a mouse: it leaves the window at the top, where tabs and addresses are.
 * With a finger: a fast scroll back up to the top, or coming back to a tab that was left. The history is not touched.
 */
const FAST_PX_PER_MS = 2;
const AWAY_MS = 10_000;

/** Call back each time that it looks so, from `after_ms` of the page's life on. Return what ends the watch. */
export function watchLeaving(after_ms: number, leaves: () => void): () => void {
  const watching = new AbortController();
  const {signal} = watching;
  const started = performance.now();
  const may = () => performance.now() - started >= after_ms && leaves();

  if (matchMedia('(hover: hover)').matches) {
    document.addEventListener('mouseout', ({relatedTarget, clientY}) => !relatedTarget && clientY <= 0 && may(), {signal});
    return () => watching.abort();
  }

  const fast = flicks();
  addEventListener('scroll', () => fast(scrollY, performance.now(), innerHeight) && may(), {signal, passive: true});
  let left: number | undefined;
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) left = performance.now();
    else if (left !== undefined && performance.now() - left >= AWAY_MS) may();
  }, {signal});
  return () => watching.abort();
}

/** Return a judge of scroll positions over time: fast, upwards, and to the first screen after having been far below. */
export function flicks(): (y: number, now: number, screen: number) => boolean {
  let last: {y: number; now: number} | undefined;
  let lowest = 0;
  return (y, now, screen) => {
    const speed = last ? (last.y - y) / Math.max(now - last.now, 1) : 0;
    last = {y, now};
    lowest = Math.max(lowest, y);
    return speed >= FAST_PX_PER_MS && y < screen && lowest > 2 * screen;
  };
}
