// The link to this room, to be copied, shared or scanned.

import { onLanguage, t } from './lang.js';
import { drawQR } from './qr.js';
import { element, show } from './view.js';

const SAID = 2_500; // ms that the button says what has become of it

export class Share {
  #link = '';
  #words = '';
  #button = 'share.copy'; // what it says

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
    element('copy').textContent = t(this.#button);
  }

  async #copy() {
    this.#say(await this.#copied() ? 'share.copied' : 'share.marked');
    setTimeout(() => this.#say('share.copy'), SAID);
  }

  // #copied says whether the link is on the clipboard. Where not it is marked.
  async #copied() {
    try {
      await navigator.clipboard.writeText(this.#link);
      return true;
    } catch {
      element('link').select(); // plain http has no clipboard
      return document.execCommand('copy');
    }
  }

  #say(key) {
    this.#button = key;
    this.#write();
  }

  async #send() {
    try {
      await navigator.share({ title: document.title, url: this.#link });
    } catch {
      // closed without a choice
    }
  }
}
