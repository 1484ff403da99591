// A page on which one sends and the others watch: the choice between the two,
// and the buttons of who sends.

import { Page } from './page.js';
import { element, show } from './view.js';

// sendOrWatch runs the page of kind. open opens what is sent; atOnce: it may be
// opened without a click; screen says that it is no camera.
export function sendOrWatch(kind, { open, atOnce, screen = false }) {
  const page = new Page(kind);
  const role = new URLSearchParams(location.search).get('role');
  let entered = false;

  const enter = (as) => {
    show(as === 'send' && !atOnce, 'choice');
    show(false, 'watch_H');
    if (!entered) page.enter(as);
    entered = true;
  };
  const stopSending = () => {
    page.hangUp();
    page.send(null);
    show(true, 'choice');
  };
  const send = async () => {
    const opening = page.open(open, { screen, onend: stopSending }); // first: it needs the click
    enter('send');
    show(!(await opening) && !atOnce, 'choice');
  };

  element('send_H').addEventListener('click', send);
  element('watch_H').addEventListener('click', () => enter('watch'));
  element('hangup').addEventListener('click', stopSending);

  if (role === 'send' && atOnce) send();
  else if (role === 'send' || role === 'watch') enter(role);
  else page.say('status.choose');
  show(role !== 'watch' && !(role === 'send' && atOnce), 'choice');
}
