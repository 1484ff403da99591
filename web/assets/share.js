// The link to this room, to be copied, shared or scanned.

import { onLanguage, t } from './lang.js';
import { drawQR } from './qr.js';
import { element, show } from './view.js';

const COPIED = 2_500; // ms

export class Share {
  #link = '';
  #words = '';
  #copied = false;

  constructor() {
    element('copy').addEventListener('click', () => this.#copy());
    element('send_link').addEventListener('click', () => this.#send());
    element('link').addEventListener('focus', (event) => event.target.select());
    onLanguage(() => this.#write());
  }

  // offer fills in link, with the sentence of words.
  offer(link, words) {
    this.#link = link;
    this.#words = words;
    element('link').value = link;
    drawQR(element('qr'), link);
    show(Boolean(navigator.share), 'send_link');
    this.#write();
  }

  #write() {
    if (!this.#words) return;
    element('share_words').textContent = t(this.#words);
    element('copy').textContent = t(this.#copied ? 'share.copied' : 'share.copy');
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#link);
    } catch {
      element('link').select(); // plain http has no clipboard
      document.execCommand('copy');
    }
    this.#copied = true;
    this.#write();
    setTimeout(() => {
      this.#copied = false;
      this.#write();
    }, COPIED);
  }

  async #send() {
    try {
      await navigator.share({ title: document.title, url: this.#link });
    } catch {
      // closed without a choice
    }
  }
}
