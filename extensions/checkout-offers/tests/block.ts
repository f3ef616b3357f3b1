/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import type {setUpExtension} from '@shopify/ui-extensions-tester';
import {waitFor} from '@testing-library/preact';
import {expect, vi} from 'vitest';

export const TARGET = 'purchase.checkout.block.render';
export const replying = (body: unknown, status = 200) => vi.fn<typeof fetch>(async () => Response.json(body, {status}));
export const one = (selector: string) => document.body.querySelector(selector);
export const words = () => document.body.textContent ?? '';
export const button = () => one('s-button') as HTMLElement;
export const attribute = (selector: string, name: string) => one(selector)?.getAttribute(name);

/** Render the block until it shows its first offer. */
export async function renderOffer(extension: ReturnType<typeof setUpExtension<typeof TARGET>>) {
  await extension.render();
  await waitFor(() => expect(words()).toContain('Oat biscuits'));
}
