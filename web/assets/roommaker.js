// Makes a room on the landing page: a link into it with an invite, for which a
// TURN user of the box signs; or, where the box lets everybody in, none at all.

import { basic } from './ice.js';
import { onLanguage, t } from './lang.js';
import { isRoomName, randomId } from './room.js';
import { Share } from './share.js';
import { element, show } from './view.js';

const PROBLEMS = { 0: 'make.unreachable', 400: 'make.wrong', 401: 'login.wrong', 429: 'make.slow' };

export class RoomMaker {
  #form = element('make');
  #share = new Share();
  #problem = '';
  #enter = ''; // the room that was made, as seen from this page

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    element('enter').addEventListener('click', () => location.assign(this.#enter));
    onLanguage(() => this.#write());
  }

  async #submit() {
    const room = element('room').value.trim();
    if (room && !isRoomName(room)) return this.#say('make.name');
    if (!element('user').value) return location.assign(`r/${room || randomId()}`); // open to everybody
    element('create').disabled = true;
    const { status, made } = await ask(room, element('user').value, element('password').value);
    element('create').disabled = false;
    this.#say(status === 200 ? '' : PROBLEMS[status] ?? 'make.server');
    if (made) this.#show(made);
  }

  #show({ room, invite, link }) {
    this.#enter = `r/${room}#${invite}`;
    element('password').value = '';
    this.#share.offer(link, 'make.made');
    show(true, 'share');
    element('share').scrollIntoView({ behavior: 'smooth', block: 'nearest' });
  }

  #say(key) {
    this.#problem = key;
    this.#write();
  }

  #write() {
    const sentence = element('make_problem');
    sentence.hidden = !this.#problem;
    sentence.textContent = this.#problem && t(this.#problem);
  }
}

// ask is one request to api/rooms. status is 0 where the box was not reached.
async function ask(room, user, password) {
  try {
    const answer = await fetch('api/rooms', {
      method: 'POST',
      headers: { 'X-Requested-With': 'icebox', 'Authorization': basic(user, password) },
      body: JSON.stringify({ room }),
      cache: 'no-store',
      credentials: 'omit',
    });
    return { status: answer.status, made: answer.ok ? await answer.json() : null };
  } catch {
    return { status: 0, made: null };
  }
}
