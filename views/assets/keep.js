// Comforts of a page whose content is to be kept: printing and copying it. Without this file there is the download.

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => print());
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = !navigator.clipboard;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
    } catch {
      // The browser refuses: what is marked can be copied by hand.
      getSelection().selectAllChildren(document.querySelector('.backup-codes'));
    }
  });
}
