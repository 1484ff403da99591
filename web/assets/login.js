// The sign-in with a TURN user, where the box wants one: a form, and the choice
// to do without the relay. Both are remembered for this tab only.

import { askForServers, renewal } from './ice.js';
import { forget, recall, remember } from './memory.js';

const KEY = 'icebox.login'; // {user, password} or {direct: true}
const RENEW_CHECK = 10_000; // ms; a timer of hours would sleep with the laptop

export class Login {
  onask = () => {}; // the form is shown
  onproblem = () => {}; // (key of a sentence, or '' when it is over)
  onservers = () => {}; // (servers) when they have been renewed

  direct = false; // without the relay: by choice, or since the sign-in is not taken any more
  #form;
  #login = null; // {user, password} of the last answer
  #renewAt = Infinity; // by Date.now, which goes on while the device sleeps

  constructor(form) {
    this.#form = form;
    setInterval(() => Date.now() > this.#renewAt && this.#renew(), RENEW_CHECK);
  }

  // servers asks, with the form as often as it takes, until there is an answer
  // to begin with.
  async servers() {
    let login = recall(KEY);
    for (;;) {
      const answer = await askForServers(login?.direct ? null : login);
      if (answer.status === 200 || (answer.status === 401 && login?.direct)) return this.#done(answer, login);
      if (answer.status === 401) {
        login = await this.#ask(login ? 'login.wrong' : '', login?.user);
        if (login.direct) return this.#done(answer, login);
      } else {
        this.onproblem({ 0: 'problem.unreachable', 429: 'login.slow' }[answer.status] ?? 'problem.server');
        await new Promise((resume) => setTimeout(resume, answer.retryAfter * 1_000));
        this.onproblem('');
      }
    }
  }

  // again forgets the choice and begins anew.
  again() {
    forget(KEY);
    location.reload();
  }

  #done(answer, login) {
    if (login) remember(KEY, login);
    this.#login = login?.direct ? null : login;
    this.direct = answer.status !== 200;
    this.#form.hide();
    this.#renewAt = this.direct ? Infinity : Date.now() + renewal(answer.ttl);
    return answer.servers;
  }

  async #ask(problem, user) {
    forget(KEY);
    this.#form.show(problem, user);
    this.onask();
    return this.#form.answer();
  }

  async #renew() {
    this.#renewAt = Infinity;
    const answer = await askForServers(this.#login);
    if (answer.status === 401) return this.#refused();
    this.#renewAt = Date.now() + (answer.status === 200 ? renewal(answer.ttl) : 60_000);
    if (answer.status === 200) this.onservers(answer.servers);
  }

  // #refused is when the user was taken out of the configuration, or has another
  // password. A call goes on with what it has.
  #refused() {
    this.direct = true;
    this.onproblem('login.wrong');
  }
}
