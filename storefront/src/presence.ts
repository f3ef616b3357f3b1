/** When the page was left, and which pictures of its product were looked at. */
import type {Page} from './page.ts';
import {publish} from './publish.ts';

const STAYED_MS = 3000;

/** What themes call the small pictures of a gallery; a merchant can name their own. */
const THUMBNAILS = '[class*="thumb" i], [data-media-id], [data-thumbnail]';

/**
 * Publish `page_left` each time that the page goes out of sight. A link that is followed says so while the page is
 * still there: pixels are gone with it, and hear little of its end.
 */
export function watchSight(): void {
  let inSight = false;

  function look(): void {
    inSight = !document.hidden;
  }

  function leave(): void {
    if (inSight) publish('page_left');
    inSight = false;
  }

  look();
  document.addEventListener('visibilitychange', () => (document.hidden ? leave() : look()));
  addEventListener('pagehide', leave);
  addEventListener('click', (event) => {
    if (!leadsAway(event)) return;
    leave();
    setTimeout(look, STAYED_MS); // it was no way out after all
  });
}

/** Return whether a click is on its way to another page, in this tab. */
function leadsAway({target, defaultPrevented, metaKey, ctrlKey, shiftKey}: MouseEvent): boolean {
  const link = target instanceof Element && target.closest<HTMLAnchorElement>('a[href]');
  if (!link || link.target === '_blank' || defaultPrevented || metaKey || ctrlKey || shiftKey) return false;
  return link.pathname + link.search !== location.pathname + location.search;
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
