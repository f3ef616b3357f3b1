// The first page: what was earned by day as a chart, and the first steps ticked off.

import {ACTIONS, call} from './admin.js';
import {_} from './language.js';
import uPlot from './vendor/uplot/uPlot-1.6.32.js';

const HEIGHT = 220;
const GREEN = '#29845a';

/** Return the chart's series: the range as a band, the figure as a line. */
function drawn(days, box) {
  const quiet = getComputedStyle(box).color;
  const edge = 'rgb(128 128 128 / 20%)'; // a canvas knows no color-mix
  const {currency} = box.dataset;
  const written = new Intl.NumberFormat(document.documentElement.lang, {style: 'currency', currency, trailingZeroDisplay: 'stripIfInteger'});
  const axis = {stroke: quiet, grid: {stroke: edge}, ticks: {stroke: edge}, font: '12px Inter, sans-serif'};
  const short = new Intl.DateTimeFormat(document.documentElement.lang, {day: 'numeric', month: 'short'});
  const bound = {stroke: 'transparent', points: {show: false}};
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: {show: false},
    cursor: {show: false},
    axes: [
      {...axis, grid: {show: false}, values: (_chart, at) => at.map((second) => short.format(new Date(second * 1000)))},
      {...axis, size: 80, values: (_chart, ticks) => ticks.map((tick) => written.format(tick))},
    ],
    series: [{}, bound, bound, {stroke: GREEN, width: 2, points: {show: true, size: 6}}],
    bands: [{series: [1, 2], fill: 'rgb(41 132 90 / 20%)'}],
  };
}

function columns(days) {
  const of = (name) => days.map((day) => day[name] ?? null);
  return [of('at'), of('high'), of('low'), of('value')];
}

/** Add what the chart shows as a table, for who can't see it. */
function told(days) {
  const hidden = Object.assign(document.createElement('div'), {className: 'unseen'});
  const table = document.createElement('table');
  const caption = table.createCaption();
  caption.textContent = _('Incremental revenue by day');
  for (const {day, says, range} of days) {
    const row = table.insertRow();
    for (const words of [day, says, range]) row.insertCell().textContent = words;
  }
  hidden.append(table);
  return hidden;
}

async function showEarned(box) {
  const says = box.querySelector('[data-chart-says]');
  try {
    const {days, awaited} = await call('/admin/api/home/earned');
    const known = days.filter(({value}) => value !== null);
    if (!known.length) {
      says.textContent = awaited || _("It's too early to tell: Tillwise follows the visitors in each group for 14 days first.");
      return;
    }
    says.remove();
    document.querySelector('[data-earned-legend]').hidden = false;
    const chart = new uPlot(drawn(days, box), columns(days), box);
    box.setAttribute('role', 'img');
    box.setAttribute('aria-label', _('Incremental revenue by day'));
    box.after(told(known));
    new ResizeObserver(() => chart.setSize({width: box.clientWidth, height: HEIGHT})).observe(box);
  } catch (error) {
    says.textContent = error.message || _('That did not work. Try again in a moment.');
  }
}

function tick(button) {
  const step = button.closest('[data-step]');
  step.dataset.done = '';
  step.querySelector('.tick').textContent = '✓';
  const badge = step.querySelector('[data-state] s-badge');
  badge.textContent = _('Done');
  badge.setAttribute('tone', 'success');
  const steps = [...step.parentElement.children];
  const done = steps.filter((each) => each.matches('[data-done]')).length;
  document.querySelector('[data-steps-done]').textContent = _('%(done)s of %(all)s done', {done, all: steps.length});
}

function offered({title, price, image, cart, why}) {
  const lines = [
    cart ? _('With %(product)s in the cart:', {product: cart}) : _('With any cart:'),
    `${title}, ${price}`,
    why,
  ];
  const words = document.createElement('div');
  for (const line of lines.filter(Boolean)) {
    const said = document.createElement('p');
    said.textContent = line;
    words.append(said);
  }
  if (!image) return [words];
  const picture = Object.assign(new Image(64, 64), {src: image, alt: ''});
  return [picture, words];
}

Object.assign(ACTIONS, {
  async 'first-holdout'(button) {
    await call('/admin/api/onboarding', {step: 'holdout'});
    tick(button);
    button.remove();
  },
  async 'first-closed'(button) {
    await call('/admin/api/onboarding', {step: 'closed'});
    button.closest('s-section').remove();
  },
  async 'first-preview'(button) {
    const shown = await call('/admin/api/onboarding/preview', {});
    const place = document.querySelector('[data-first-offer]');
    if (!shown.title) {
      place.textContent = _('There is nothing to offer yet: no product is published and in stock.');
      return;
    }
    place.replaceChildren(...offered(shown));
    tick(button);
  },
});

// A shop that no checkout has asked yet has no chart.
const chart = document.querySelector('[data-earned]');
if (chart) void showEarned(chart);
