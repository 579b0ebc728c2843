#!/usr/bin/env node
// Opens the page URL in headless Chromium and prints what it logs, until it is ended.
// Says "subscribed" to stderr once the page is loaded. That a page has no icon is no news.
import { startBrowser } from './browser.mjs';

const ends = [];
const { context } = await startBrowser({ after: (end) => ends.push(end) }, { handleSIGTERM: false });
process.on('SIGTERM', async () => {
  await ends[0]();
  process.exit(0);
});
const tab = await context.newPage();
tab.on('console', (message) => message.location().url.endsWith('/favicon.ico') || console.log(message.text()));
tab.on('pageerror', (error) => console.log(String(error)));
await tab.goto(process.argv[2]);
console.error('subscribed');
