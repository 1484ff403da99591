// The form for a TURN user and its password.

import { onLanguage, t } from './lang.js';
import { element } from './view.js';

export class Form {
  #form = element('login');
  #problem = '';

  constructor() {
    onLanguage(() => this.#write());
  }

  // show puts the form up, with the sentence of problem and the user filled in.
  show(problem, user = '') {
    this.#problem = problem;
    this.#form.hidden = false;
    element('user').value ||= user;
    element('password').value = '';
    this.#write();
    (element('user').value ? element('password') : element('user')).focus({ preventScroll: Boolean(problem) });
  }

  hide() {
    this.#form.hidden = true;
  }

  // answer is {user, password}, or {direct: true}.
  answer() {
    const signIn = element('signin');
    const direct = element('direct');
    signIn.disabled = false;
    return new Promise((resolve) => {
      this.#form.onsubmit = (event) => {
        event.preventDefault();
        signIn.disabled = true;
        resolve({ user: element('user').value, password: element('password').value });
      };
      direct.onclick = () => resolve({ direct: true });
    });
  }

  #write() {
    const sentence = element('login_problem');
    sentence.hidden = !this.#problem;
    sentence.textContent = this.#problem && t(this.#problem);
  }
}
