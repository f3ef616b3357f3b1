/** How long the page was looked at, and which pictures of its product. */
import type {Page} from './page.ts';
import {publish} from './publish.ts';

/** What themes call the small pictures of a gallery; a merchant can name their own. */
const THUMBNAILS = '[class*="thumb" i], [data-media-id], [data-thumbnail]';

/** Publish `page_left` with the time in sight, each time that the page goes out of it. */
export function watchDwell(): void {
  let dwell_ms = 0;
  let since: number | undefined = document.hidden ? undefined : performance.now();

  function leave(): void {
    if (since === undefined) return;
    dwell_ms += performance.now() - since;
    since = undefined;
    publish('page_left', {dwell_ms: Math.round(dwell_ms)});
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) leave();
    else since = performance.now();
  });
  addEventListener('pagehide', leave);
}

/** Publish `thumbnail_clicked` for the small pictures of the page's product. own: the merchant's selector. */
export function watchThumbnails({product_id}: Page, own = ''): void {
  if (!product_id) return;
  document.addEventListener('click', ({target}) => {
    if (target instanceof Element && isThumbnail(target, own)) {
      publish('thumbnail_clicked', {product_id: String(product_id)});
    }
  });
}

function isThumbnail(target: Element, own: string): boolean {
  try {
    return target.closest(own || THUMBNAILS) !== null;
  } catch {
    return false; // the merchant's is no selector
  }
}
