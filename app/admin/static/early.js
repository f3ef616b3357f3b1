// A click on a button that comes before the page's scripts listen waits for them: they are modules, which
// run once all of the page is there and shown.
{
  let held;
  const hold = (event) => {
    const button = event.target.closest?.('s-button:not([href])');
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held = button;
  };
  document.addEventListener('click', hold, true);
  document.addEventListener('DOMContentLoaded', () => {
    document.removeEventListener('click', hold, true);
    held?.click();
  });
}
