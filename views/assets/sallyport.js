// Comforts of the hosted pages. Everything works without this file: the server decides.

/**
 * A form goes out once, however often its button is pressed. Coming back to the page opens it again, and so does a
 * while: whoever has stopped a slow page is not left with a dead button.
 */
for (const form of document.querySelectorAll('form[data-once]')) {
  const open = () => delete form.dataset.sent;
  form.addEventListener('submit', (event) => {
    if ('sent' in form.dataset) return event.preventDefault();
    form.dataset.sent = '';
    setTimeout(open, 8000);
  });
  addEventListener('pageshow', open);
}

/**
 * A code that is full goes out by itself, unless there is a box to tick below it. Spaces and hyphens do not count:
 * people paste “123 456”.
 */
for (const field of document.querySelectorAll('input[data-length]')) {
  field.addEventListener('input', (event) => {
    const typed = field.value.replace(/[\s-]/g, '').length;
    const adding = !event.inputType?.startsWith('delete');
    if (adding && !field.form.elements.remember && typed === Number(field.dataset.length)) {
      field.form.requestSubmit(field.form.querySelector('button.primary'));
    }
  });
}

/** Shows the password on request, and never leaves it shown in a form that is sent. */
for (const button of document.querySelectorAll('button.reveal')) {
  const field = button.parentElement.querySelector('input');
  const show = (shown) => {
    field.type = shown ? 'text' : 'password';
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
    button.ariaLabel = shown ? button.dataset.hideLabel : button.dataset.showLabel;
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    show(field.type === 'password');
    field.focus();
  });
  field.form.addEventListener('submit', () => show(false));
}

/** Says when capitals are locked. The line below the field is an error's, so it waits until that is empty. */
for (const hint of document.querySelectorAll('.caps-lock')) {
  const field = hint.closest('.field').querySelector('input');
  const look = (event) => {
    const locked = event.getModifierState?.('CapsLock') && !hint.previousElementSibling.textContent;
    hint.textContent = locked ? hint.dataset.text : '';
  };
  field.addEventListener('keydown', look);
  field.addEventListener('keyup', look);
}

/** Counts down to the moment from which a button may be pressed, by the server's time and not the computer's. */
for (const button of document.querySelectorAll('button[data-enabled-at]')) {
  const wait = button.querySelector('.wait');
  const loaded = performance.now();
  const total = Number(button.dataset.enabledAt) - Number(button.dataset.now);
  const tick = () => {
    const seconds = Math.ceil((total - (performance.now() - loaded)) / 1000);
    if (seconds > 0) {
      const minutes = Math.ceil(seconds / 60);
      const [words, count] =
        seconds <= 90
          ? [wait.dataset.seconds, seconds]
          : minutes <= 90
            ? [wait.dataset.minutes, minutes]
            : [wait.dataset.hours, Math.ceil(minutes / 60)];
      wait.textContent = words.replace('#', String(count));
      return;
    }
    clearInterval(timer);
    button.disabled = false;
    wait.remove();
  };
  const timer = setInterval(tick, 250);
}

/** The server does not know the reader's zone, and writes moments in UTC. */
for (const moment of document.querySelectorAll('time[title]')) {
  const format = { dateStyle: 'medium', timeStyle: 'long' };
  moment.title = new Date(moment.dateTime).toLocaleString(document.documentElement.lang, format);
}
